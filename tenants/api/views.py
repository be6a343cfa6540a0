"""The API as the program serves it: a view for each operation, the description, and its page."""

from flask import Blueprint, Flask

from kernel.api import IdempotentRequests, reference, requests
from kernel.web import origin_of
from tenants.api import (  # noqa: F401  (they declare their operations)
    accounts,
    api_keys,
    audit,
    clients,
    companies,
    configuration,
    invitations,
    me,
    roles,
    users,
    webhooks,
)
from tenants.api.callers import Authenticators
from tenants.api.gate import Gate
from tenants.api.models import IdempotentRequest
from tenants.api.rest import api, schemes
from tenants.database import db
from tenants.limits import limits

idempotent_requests = IdempotentRequests(IdempotentRequest)


def set_up(app: Flask, authenticators: Authenticators) -> None:
    """Serve the API; the authenticators come from above."""
    blueprint = Blueprint("api", __name__)
    requests.add_views(blueprint, api)
    reference.add_pages(blueprint, api, schemes=schemes(str(origin_of(app))))
    requests.hand_in(
        app, api, requests.Installed(Gate(authenticators), db, limits, idempotent_requests)
    )
    app.register_blueprint(blueprint)
