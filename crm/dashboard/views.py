"""The dashboard."""

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from crm.settings import crm_settings_of
from kernel.web import requires
from relying_party import strength
from relying_party.sessions.current import signed_in

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/")
@requires("session")
def page() -> ResponseReturnValue:
    """Who is signed in, since when, and what waits."""
    person = signed_in()
    return render_template(
        "dashboard/page.html",
        person=person,
        strength=strength.in_words(person.acr),
        login_security_url=crm_settings_of(current_app).login_security_url,
    )
