"""The pages of registration: address → proof of the mailbox → password."""

from datetime import datetime

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.credentials.password import Problem
from idp.flows import service as flows
from idp.flows.service import FlowState
from idp.forms import explain
from idp.mailbox import link_cookie
from idp.mailbox import service as mailbox
from idp.mailbox.service import LinkSpent, NoFlow, Purpose
from idp.registration import service
from idp.registration.forms import AddressForm, CodeForm, PasswordForm
from idp.registration.service import MailboxNotProved
from idp.sessions.browser import this_browser
from idp.settings import current_settings
from kernel import clock
from kernel.crypto import hash_token
from kernel.i18n import _
from kernel.web import browser_id, error_page, public, toast
from tenants.database import db
from tenants.people.address import NotAnAddress
from tenants.people.service import EmailTaken

blueprint = Blueprint("registration", __name__)


@blueprint.before_request
def _refuse_when_closed() -> Response | None:
    """The switch holds for every step, also for one that was reached before it was turned."""
    if current_settings().registration_open:
        return None
    return error_page(
        403,
        title=_("Registration is closed"),
        reason=_("IDs are created here by invitation only."),
        link=url_for("sign_in.address"),
        link_text=_("Sign in"),
        code="registration_closed",
    )


@blueprint.get("/register")
@public
def address() -> ResponseReturnValue:
    """Ask for the address. Nothing else is needed to begin (ID-1)."""
    form = AddressForm()
    flow = _flow(clock.now())
    if flow is not None:
        form.email.data = flow.email
    return render_template("registration/address.html", form=form, flow=flow)


@blueprint.post("/register")
@public
def submit_address() -> ResponseReturnValue:
    """Have a mail sent. Known and unknown addresses get the same answer, at the same cost."""
    now = clock.now()
    flow_id = request.args.get("flow")
    form = AddressForm()
    try:
        asked = mailbox.ask(
            flow_id,
            purpose=Purpose.REGISTRATION,
            email=form.email.data or "",
            browser=this_browser(now),
            return_to=url_for("account.profile"),
            now=now,
        )
    except NotAnAddress:
        form.email.errors = [_("This is not an e-mail address. It looks like name@example.com.")]
        return make_response(
            render_template("registration/address.html", form=form, flow=_flow(now)), 422
        )
    return redirect(url_for("registration.code", flow=asked.flow_id), 303)


@blueprint.get("/register/code")
@public
def code() -> ResponseReturnValue:
    """Say that a mail is on its way, and take its code."""
    flow = _load(clock.now())
    if flow.email is None:
        return redirect(url_for("registration.address", flow=flow.id), 303)
    return render_template("registration/code.html", form=CodeForm(), flow=flow)


@blueprint.post("/register/code")
@public
def submit_code() -> ResponseReturnValue:
    """Check the code."""
    now = clock.now()
    flow_id = request.args.get("flow")
    form = CodeForm()
    try:
        proved = mailbox.prove_by_code(
            flow_id,
            purpose=Purpose.REGISTRATION,
            text=(form.code.data or "")[:100],
            browser=this_browser(now),
            now=now,
        )
    except NoFlow:
        return redirect(url_for("registration.address", flow=flow_id), 303)
    if proved:
        return redirect(url_for("registration.password", flow=flow_id), 303)
    form.code.errors = [
        _("This code is not right, or it has expired. Check it, or have a new one sent.")
    ]
    return make_response(render_template("registration/code.html", form=form, flow=_load(now)), 422)


@blueprint.post("/register/code/send")
@public
def send_again() -> ResponseReturnValue:
    """Have another mail sent to the same address."""
    now = clock.now()
    flow_id = request.args.get("flow")
    try:
        mailbox.ask(
            flow_id,
            purpose=Purpose.REGISTRATION,
            email=None,
            browser=this_browser(now),
            return_to=url_for("account.profile"),
            now=now,
        )
    except NoFlow:
        return redirect(url_for("registration.address", flow=flow_id), 303)
    toast(_("If a new code was needed, it is on its way."))
    return redirect(url_for("registration.code", flow=flow_id), 303)


@blueprint.get("/register/confirm")
@public
def open_link() -> ResponseReturnValue:
    """A mailed link: the token leaves the address, and nothing is spent by looking."""
    token = request.args.get("token")
    if token is not None:
        response: Response = redirect(url_for("registration.open_link"), 303)  # type: ignore[assignment]
        link_cookie.keep(response, token)
        return response
    if not mailbox.is_link_open(link_cookie.kept(), purpose=Purpose.REGISTRATION, now=clock.now()):
        return _link_spent()
    return render_template("registration/confirm.html")


@blueprint.post("/register/confirm")
@public
def confirm_link() -> ResponseReturnValue:
    """Spend the link."""
    now = clock.now()
    try:
        flow_id = mailbox.prove_by_link(
            link_cookie.kept(),
            purpose=Purpose.REGISTRATION,
            browser=this_browser(now),
            return_to=url_for("account.profile"),
            now=now,
        )
    except LinkSpent:
        return _link_spent()
    response: Response = redirect(url_for("registration.password", flow=flow_id), 303)  # type: ignore[assignment]
    link_cookie.drop(response)
    return response


@blueprint.get("/register/password")
@public
def password() -> ResponseReturnValue:
    """Ask for the password of the new ID."""
    now = clock.now()
    flow_id = request.args.get("flow")
    try:
        email = service.proved_email(flow_id, browser=this_browser(now), now=now)
    except MailboxNotProved:
        return redirect(url_for("registration.address", flow=flow_id), 303)
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
            response: Response = redirect(url_for("authorize.resume", flow=flow_id), 303)  # type: ignore[assignment]
            outcome.give(response)
            return response
        form.new_password.errors = [explain(outcome)]
        email = service.proved_email(flow_id, browser=browser, now=now)
    except MailboxNotProved:
        return redirect(url_for("registration.address", flow=flow_id), 303)
    except EmailTaken:
        return _known(flow_id)
    return make_response(_password_page(form, email), 422)


def _password_page(form: PasswordForm, email: str) -> str:
    return render_template(
        "registration/password.html",
        form=form,
        email=email,
        minimum=current_settings().password_min_length,
        flow_id=request.args.get("flow"),
    )


def _known(flow_id: str | None) -> ResponseReturnValue:
    """Whoever reads the mailbox may know: there is an ID, so sign in with it."""
    toast(_("There is an ID with this address already. Sign in with it."), kind="info")
    return redirect(url_for("sign_in.password", flow=flow_id), 303)


def _link_spent() -> Response:
    return error_page(
        400,
        title=_("This link does not work any more"),
        reason=_("It was used already, an hour has passed, or a newer mail has replaced it."),
        way_out=_("Have a new mail sent."),
        link=url_for("registration.address"),
        link_text=_("Have a new mail sent"),
        code="link_spent",
    )


def _flow(now: datetime) -> FlowState | None:
    return _load(now) if request.args.get("flow") else None


def _load(now: datetime) -> FlowState:
    with db.reading() as session:
        return flows.load(session, request.args.get("flow"), hash_token(browser_id()), now)
