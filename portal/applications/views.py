"""«My applications»: the list, and the way into each."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from kernel import clock
from kernel.errors import NotFound
from kernel.web import forward, requires
from portal.applications import catalogue, recent
from portal.settings import portal_settings_of
from relying_party.sessions.current import signed_in

blueprint = Blueprint("applications", __name__)


@blueprint.get("/applications")
@requires("session")
def page() -> ResponseReturnValue:
    """Every application, with a sentence and a button."""
    return render_template(
        "applications/page.html",
        applications=catalogue.applications(portal_settings_of(current_app)),
    )


@blueprint.post("/applications/<key>/open")
@requires("session")
def open_application(key: str) -> ResponseReturnValue:
    """Go to the application; it is remembered as used."""
    application = catalogue.find(portal_settings_of(current_app), key)
    if application is None:
        raise NotFound("no such application")
    recent.note(application, by=signed_in(), now=clock.now())
    return forward(application.url)
