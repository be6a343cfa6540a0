"""The pages of registration: address → proof of the mailbox → password or passkey."""

from datetime import datetime

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.credentials.ceremonies import LONGEST_ANSWER, PasskeyRefused
from idp.credentials.password import Problem
from idp.forms import explain
from idp.invitations.views import lets_register
from idp.mailbox.pages import MailboxPages
from idp.mailbox.service import Purpose
from idp.registration import service
from idp.registration.forms import PasskeyForm, PasswordForm
from idp.registration.service import MailboxNotProved
from idp.sessions.browser import Browser, this_browser
from idp.sessions.user_agents import device_name
from idp.settings import current_settings
from kernel import clock
from kernel.i18n import _
from kernel.observability.logs import get_logger
from kernel.web import error_page, public, toast
from tenants.people.service import EmailTaken

log = get_logger(__name__)

blueprint = Blueprint("registration", __name__)


@blueprint.before_request
def _refuse_when_closed() -> Response | None:
    """The switch holds for every step, also for one that was reached before it was turned.

    Whoever is invited makes an ID for the invited address all the same.
    """
    if current_settings().registration_open or lets_register(request.args.get("flow")):
        return None
    return error_page(
        403,
        title=_("Registration is closed"),
        reason=_("IDs are created here by invitation only."),
        link=url_for("sign_in.address"),
        link_text=_("Sign in"),
        code="registration_closed",
    )


pages = MailboxPages(
    blueprint,
    "/register",
    Purpose.REGISTRATION,
    address_page="registration/address.html",
    code_page="registration/code.html",
    confirm_page="registration/confirm.html",
)
pages.add()


@blueprint.get("/register/password")
@public
def password() -> ResponseReturnValue:
    """Ask for the password of the new ID."""
    now = clock.now()
    flow_id = request.args.get("flow")
    try:
        email = service.proved_email(flow_id, browser=this_browser(now), now=now)
    except MailboxNotProved:
        return pages.to("address", flow_id)
    except EmailTaken:
        return _known(flow_id)
    return _password_page(PasswordForm(), email)


@blueprint.post("/register/password")
@public
def submit_password() -> ResponseReturnValue:
    """Make the ID, and sign in with it."""
    now = clock.now()
    browser, form = this_browser(now), PasswordForm()
    flow_id = request.args.get("flow")
    try:
        outcome = service.finish(flow_id, form.new_password.data or "", browser=browser, now=now)
        if not isinstance(outcome, Problem):
            response = make_response(redirect(url_for("authorize.resume", flow=flow_id), 303))
            outcome.give(response)
            return response
        form.new_password.errors = [explain(outcome)]
        email = service.proved_email(flow_id, browser=browser, now=now)
    except MailboxNotProved:
        return pages.to("address", flow_id)
    except EmailTaken:
        return _known(flow_id)
    return make_response(_password_page(form, email), 422)


@blueprint.post("/register/passkey/options")
@public
def passkey_options() -> ResponseReturnValue:
    """What the browser is to make in place of a password."""
    now = clock.now()
    flow_id = request.args.get("flow")
    try:
        return service.ask_for_passkey(flow_id, browser=this_browser(now), now=now)
    except MailboxNotProved:
        return pages.to("address", flow_id)
    except EmailTaken:
        return _known(flow_id)


@blueprint.post("/register/passkey")
@public
def submit_passkey() -> ResponseReturnValue:
    """Make the ID with a passkey. The recovery codes are on the answer, and nowhere else ever."""
    now = clock.now()
    browser = this_browser(now)
    flow_id = request.args.get("flow")
    try:
        finished = service.finish_with_passkey(
            flow_id,
            (PasskeyForm().credential.data or "")[: LONGEST_ANSWER + 1],
            name=device_name(browser.where.user_agent) or str(_("Passkey")),
            browser=browser,
            now=now,
        )
    except PasskeyRefused as refused:
        log.info("passkey_refused", detail=refused.detail)
        return _passkey_refused(flow_id, browser, now)
    except MailboxNotProved:
        return pages.to("address", flow_id)
    except EmailTaken:
        return _known(flow_id)
    page = render_template("registration/sheet.html", codes=finished.codes, flow_id=flow_id)
    response = make_response(page)
    finished.cookies.give(response)
    return response


def _passkey_refused(flow_id: str | None, browser: Browser, now: datetime) -> ResponseReturnValue:
    try:
        email = service.proved_email(flow_id, browser=browser, now=now)
    except MailboxNotProved:
        return pages.to("address", flow_id)
    except EmailTaken:
        return _known(flow_id)
    error = str(_("This did not work, or took too long. Try again, or choose a password."))
    return make_response(_password_page(PasswordForm(formdata=None), email, error), 422)


def _password_page(form: PasswordForm, email: str, passkey_error: str = "") -> str:
    return render_template(
        "registration/password.html",
        form=form,
        passkey_error=passkey_error,
        email=email,
        minimum=current_settings().password_min_length,
        flow_id=request.args.get("flow"),
    )


def _known(flow_id: str | None) -> ResponseReturnValue:
    """Whoever reads the mailbox may know: there is an ID, so sign in with it."""
    toast(_("There is an ID with this address already. Sign in with it."), kind="info")
    return redirect(url_for("sign_in.password", flow=flow_id), 303)
