"""The page of the password."""

from datetime import datetime

from flask import make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp.sessions.browser import Browser, this_browser
from idp.sign_in import password as first_factor
from idp.sign_in.forms import PasswordForm
from idp.sign_in.outcomes import Proved, Throttled
from idp.sign_in.password import AddressMissing
from idp.sign_in.views.pages import blueprint, go_on, load, show
from idp.sign_in.waiting import told_to_wait, too_many
from kernel import clock
from kernel.i18n import _
from kernel.web import public


@blueprint.get("/sign-in/password")
@public
def password() -> ResponseReturnValue:
    """Ask for the password."""
    flow = load(request.args.get("flow"), clock.now())
    if flow.email is None:
        return redirect(url_for("sign_in.address", flow=flow.id), 303)
    return show("sign_in/password.html", flow, form=PasswordForm())


@blueprint.post("/sign-in/password")
@public
def submit_password() -> ResponseReturnValue:
    """Check the password."""
    now = clock.now()
    flow_id = request.args.get("flow")
    try:
        return check_password(
            flow_id, None, PasswordForm().password.data or "", this_browser(now), now
        )
    except AddressMissing:
        return redirect(url_for("sign_in.address", flow=flow_id), 303)


def check_password(
    flow_id: str | None, email: str | None, typed: str, browser: Browser, now: datetime
) -> ResponseReturnValue:
    """On to what follows a right password, or the page again; also for the page of the address."""
    outcome = first_factor.prove(flow_id, email=email, typed=typed, browser=browser, now=now)
    if isinstance(outcome, Proved):
        return go_on(flow_id, outcome.cookies)
    form = PasswordForm(formdata=None)
    form.password.errors = [
        told_to_wait(outcome)
        if isinstance(outcome, Throttled)
        else _("Address and password do not match. Check both, or set a new password.")
    ]
    page = show("sign_in/password.html", load(flow_id, now), form=form)
    if isinstance(outcome, Throttled):
        return too_many(page, outcome)
    return make_response(page, 422)
