"""«My applications»: the list, and the way into each."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from kernel import clock
from kernel.errors import NotFound
from kernel.web import forward, requires
from portal.applications import catalogue, recent
from portal.applications.catalogue import Application
from portal.settings import portal_settings_of
from relying_party.context_switch.views import own_permissions
from relying_party.contexts.context import Context
from relying_party.sessions.current import signed_in

blueprint = Blueprint("applications", __name__)


@blueprint.get("/applications")
@requires("session")
def page() -> ResponseReturnValue:
    """Every application, with a sentence and a button."""
    known = catalogue.applications(portal_settings_of(current_app))
    return render_template("applications/page.html", applications=known, missing=())


@blueprint.get("/a/<context:context>/applications")
@requires("context")
def page_in_context(context: Context) -> ResponseReturnValue:
    """The same for who works in an account: what the account has, and what it has not."""
    known = catalogue.applications(portal_settings_of(current_app))
    here = {each.id for each in own_permissions(context)}
    return render_template(
        "applications/page.html",
        applications=known,
        missing={each.key for each in known} - here,
    )


@blueprint.post("/applications/<key>/open")
@requires("session")
def open_application(key: str) -> ResponseReturnValue:
    """Go to the application; it is remembered as used."""
    return forward(_opened(key).url)


@blueprint.post("/a/<context:context>/applications/<key>/open")
@requires("context")
def open_in_context(context: Context, key: str) -> ResponseReturnValue:
    """Go to the application, in the account or company that this tab works in."""
    return forward(_opened(key).url_in(context))


def _opened(key: str) -> Application:
    application = catalogue.find(portal_settings_of(current_app), key)
    if application is None:
        raise NotFound("no such application")
    recent.note(application, by=signed_in(), now=clock.now())
    return application
