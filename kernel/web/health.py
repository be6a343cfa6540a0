"""`/healthz`: the process lives. `/readyz`: it can serve. Both for machines; they tell no secrets."""

from flask import Blueprint, Flask, current_app
from flask.typing import ResponseReturnValue

from kernel.observability.health import Health
from kernel.web.access import public

blueprint = Blueprint("health", __name__)

_EXTENSION = "klucznik.health"


def set_up_health(app: Flask) -> Health:
    """Give the application its health, with no checks yet."""
    health = Health()
    app.extensions[_EXTENSION] = health
    app.register_blueprint(blueprint)
    return health


def health_of(app: Flask) -> Health:
    """The health of an application, to add checks or to drain it."""
    health: Health = app.extensions[_EXTENSION]
    return health


@blueprint.get("/healthz")
@public
def live() -> ResponseReturnValue:
    """The process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    """The process may get requests."""
    health = health_of(current_app)
    if health.draining:
        return {"status": "draining"}, 503
    failing = health.failing()
    if failing:
        return {"status": "failing", "failing": failing}, 503
    return {"status": "ok"}
