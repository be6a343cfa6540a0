"""The first page: who is it? A passkey answers that and everything else."""

from flask import make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp.flows.service import FlowState
from idp.sessions import service as sessions
from idp.sessions.browser import this_browser
from idp.sign_in import passkey
from idp.sign_in import password as first_factor
from idp.sign_in.forms import AddressForm, PasskeyForm
from idp.sign_in.outcomes import Proved, Throttled
from idp.sign_in.views.pages import (
    begin,
    blueprint,
    credential_of,
    go_on,
    load,
    named_flow,
    passkey_refused,
    show,
    show_printed,
    wait_a_little,
)
from idp.sign_in.views.password import check_password
from idp.sign_in.waiting import too_many
from kernel import clock
from kernel.i18n import _
from kernel.web import public
from kernel.web.printed import Values
from tenants.people.address import NotAnAddress


@blueprint.get("/sign-in")
@public
def address() -> ResponseReturnValue:
    """Ask who it is."""
    now = clock.now()
    flow = named_flow(now)
    if flow is None and sessions.current(now) is not None:
        # A bookmark, most likely: there is nothing to ask.
        return redirect(url_for("account.profile"), 303)
    if flow is None:
        return redirect(url_for("sign_in.address", flow=begin(this_browser(now), now)), 303)
    email = flow.email or _login_hint(flow)
    return show_printed("sign_in/address.html", flow, _words, email=email)


@blueprint.post("/sign-in")
@public
def submit_address() -> ResponseReturnValue:
    """Take the address, and the password where one came along."""
    now = clock.now()
    browser = this_browser(now)
    # Whoever uses the flow looks whether it is this browser's.
    flow_id = request.args.get("flow") or begin(browser, now)
    form = AddressForm()
    try:
        if form.password.data and form.validate():
            return check_password(flow_id, form.email.data, form.password.data, browser, now)
        if form.validate():
            first_factor.give_address(flow_id, form.email.data or "", browser=browser, now=now)
            return redirect(url_for("authorize.resume", flow=flow_id), 303)
    except NotAnAddress:
        form.email.errors = [_("This is not an e-mail address. It looks like name@example.com.")]
    return make_response(show("sign_in/address.html", load(flow_id, now), form=form), 422)


@blueprint.post("/sign-in/passkey/options")
@public
def passkey_options() -> ResponseReturnValue:
    """What the browser is asked for: the same for everybody, whoever has typed what."""
    now = clock.now()
    return passkey.ask_alone(request.args.get("flow"), browser=this_browser(now), now=now)


@blueprint.post("/sign-in/passkey")
@public
def submit_passkey() -> ResponseReturnValue:
    """Sign in with a passkey alone."""
    now = clock.now()
    flow_id = request.args.get("flow")
    outcome = passkey.prove_alone(
        flow_id, text=credential_of(PasskeyForm()), browser=this_browser(now), now=now
    )
    if isinstance(outcome, Proved):
        return go_on(flow_id, outcome.cookies)
    flow, form = load(flow_id, now), AddressForm(formdata=None)
    form.email.data = flow.email
    error = wait_a_little(outcome) if isinstance(outcome, Throttled) else passkey_refused()
    page = show("sign_in/address.html", flow, form=form, passkey_error=error)
    if isinstance(outcome, Throttled):
        return too_many(page, outcome)
    return make_response(page, 422)


def _words(values: Values) -> dict[str, object]:
    form = AddressForm(formdata=None)
    form.email.data = values["email"]
    return {"form": form}


def _login_hint(flow: FlowState) -> str:
    hint = (flow.request or {}).get("login_hint")
    return hint if isinstance(hint, str) else ""
