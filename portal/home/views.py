"""The home page."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from kernel.web import requires
from portal.applications import recent
from portal.home import quick_access
from portal.settings import portal_settings_of
from relying_party.contexts.context import Context
from relying_party.sessions.current import signed_in

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
@requires("session")
def page() -> ResponseReturnValue:
    """Quick access, and the applications that were used last."""
    return _home()


@blueprint.get("/a/<context:context>")
@requires("context")
def page_in_context(context: Context) -> ResponseReturnValue:
    """The same, for who works in an account."""
    return _home()


def _home() -> str:
    settings = portal_settings_of(current_app)
    return render_template(
        "home/page.html",
        person=signed_in(),
        groups=quick_access.groups(settings),
        recently_used=recent.used_by(signed_in(), settings),
    )
