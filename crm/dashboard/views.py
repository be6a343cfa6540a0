"""The dashboard."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from crm.settings import crm_settings_of
from kernel.web import requires
from relying_party import strength
from relying_party.context_switch.views import to_latest
from relying_party.contexts.context import Context
from relying_party.sessions.current import signed_in

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/")
@requires("session")
def start() -> ResponseReturnValue:
    """The CRM is always the CRM of an account: to the one that was worked in last."""
    return to_latest()


@blueprint.get("/a/<context:context>")
@requires("context")
def page(context: Context) -> ResponseReturnValue:
    """Who is signed in, since when, and what waits."""
    person = signed_in()
    return render_template(
        "dashboard/page.html",
        person=person,
        strength=strength.in_words(person.acr),
        login_security_url=crm_settings_of(current_app).login_security_url,
    )
