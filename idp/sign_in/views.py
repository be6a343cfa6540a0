"""The pages of signing in: one question each. Every step ends by going back to `authorize.resume`."""

from datetime import datetime

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.credentials.ceremonies import LONGEST_ANSWER
from idp.flows import service as flows
from idp.flows.service import FlowExpired, FlowState
from idp.mailbox.no_mail import mails_wait
from idp.sessions import service as sessions
from idp.sessions.browser import Browser, this_browser
from idp.settings import current_settings
from idp.sign_in import code as second_factor
from idp.sign_in import passkey
from idp.sign_in import password as first_factor
from idp.sign_in.completion import Cookies
from idp.sign_in.destination import destination_of
from idp.sign_in.forms import AddressForm, CodeForm, PasskeyForm, PasswordForm
from idp.sign_in.outcomes import Exhausted, Proved, Throttled, Wrong
from idp.sign_in.password import AddressMissing
from idp.sign_in.prover import NothingToProve
from kernel import clock
from kernel.crypto import hash_token
from kernel.i18n import _, ngettext
from kernel.web import browser_id, error_page, public, toast
from tenants.database import db
from tenants.people.address import NotAnAddress

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/sign-in")
@public
def address() -> ResponseReturnValue:
    """Ask who it is."""
    now = clock.now()
    flow = _flow(now)
    if flow is None and sessions.current(now) is not None:
        # A bookmark, most likely: there is nothing to ask.
        return redirect(url_for("account.profile"), 303)
    if flow is None:
        return redirect(url_for("sign_in.address", flow=_begin(this_browser(now), now)), 303)
    form = AddressForm()
    form.email.data = flow.email or _login_hint(flow)
    return _page("sign_in/address.html", flow, form=form)


@blueprint.post("/sign-in")
@public
def submit_address() -> ResponseReturnValue:
    """Take the address, and the password where one came along."""
    now = clock.now()
    browser = this_browser(now)
    # Whoever uses the flow looks whether it is this browser's.
    flow_id = request.args.get("flow") or _begin(browser, now)
    form = AddressForm()
    try:
        if form.password.data and form.validate():
            return _check_password(flow_id, form.email.data, form.password.data, browser, now)
        if form.validate():
            first_factor.give_address(flow_id, form.email.data or "", browser=browser, now=now)
            return redirect(url_for("authorize.resume", flow=flow_id), 303)
    except NotAnAddress:
        form.email.errors = [_("This is not an e-mail address. It looks like name@example.com.")]
    return make_response(_page("sign_in/address.html", _load(flow_id, now), form=form), 422)


@blueprint.get("/sign-in/password")
@public
def password() -> ResponseReturnValue:
    """Ask for the password."""
    flow = _load(request.args.get("flow"), clock.now())
    if flow.email is None:
        return redirect(url_for("sign_in.address", flow=flow.id), 303)
    return _page("sign_in/password.html", flow, form=PasswordForm())


@blueprint.post("/sign-in/password")
@public
def submit_password() -> ResponseReturnValue:
    """Check the password."""
    now = clock.now()
    flow_id = request.args.get("flow")
    try:
        return _check_password(
            flow_id, None, PasswordForm().password.data or "", this_browser(now), now
        )
    except AddressMissing:
        return redirect(url_for("sign_in.address", flow=flow_id), 303)


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
        flow_id, text=_credential(PasskeyForm()), browser=this_browser(now), now=now
    )
    if isinstance(outcome, Proved):
        return _go_on(flow_id, outcome.cookies)
    flow, form = _load(flow_id, now), AddressForm(formdata=None)
    form.email.data = flow.email
    error = _wait_a_little(outcome) if isinstance(outcome, Throttled) else _passkey_refused()
    page = _page("sign_in/address.html", flow, form=form, passkey_error=error)
    if isinstance(outcome, Throttled):
        return _too_many(page, outcome)
    return make_response(page, 422)


@blueprint.get("/sign-in/code")
@public
def code() -> ResponseReturnValue:
    """Ask for the second factor."""
    now = clock.now()
    return _code_page(CodeForm(), this_browser(now), now)


@blueprint.post("/sign-in/code")
@public
def submit_code() -> ResponseReturnValue:
    """Check a code."""
    now = clock.now()
    browser, form = this_browser(now), CodeForm()
    flow_id = request.args.get("flow")
    credential, remember = _credential(form), bool(form.remember.data)
    try:
        if credential:
            outcome = passkey.prove_second(
                flow_id, text=credential, remember=remember, browser=browser, now=now
            )
        else:
            outcome = second_factor.prove(
                flow_id,
                text=(form.code.data or "")[:100],
                remember=remember,
                browser=browser,
                now=now,
            )
    except NothingToProve:
        return _start_over(flow_id, now)
    match outcome:
        case Proved(cookies):
            return _go_on(flow_id, cookies)
        case Exhausted(new_flow_id):
            toast(_("Too many wrong codes. Enter the password again."), kind="warning")
            return redirect(url_for("sign_in.password", flow=new_flow_id), 303)
        case Throttled():
            wait = _wait_a_little(outcome) if credential else _wait(outcome)
            (form.credential if credential else form.code).errors = [wait]
            return _too_many(_code_page(form, browser, now), outcome)
        case Wrong() if credential:
            form.credential.errors = [_passkey_refused()]
        case Wrong():
            form.code.errors = [
                _("This code is not right, or it has expired. Check it and try again.")
            ]
    return make_response(_code_page(form, browser, now), 422)


@blueprint.post("/sign-in/code/send")
@public
def send_code() -> ResponseReturnValue:
    """Mail a code, again or for the first time."""
    now = clock.now()
    flow_id = request.args.get("flow")
    try:
        throttled = second_factor.send(flow_id, browser=this_browser(now), now=now)
    except NothingToProve:
        return _start_over(flow_id, now)
    if throttled is None:
        toast(_("If a new code was needed, it is on its way."))
    else:
        toast(mails_wait(throttled.retry_after), kind="warning")
    return redirect(url_for("sign_in.code", flow=flow_id), 303)


@blueprint.post("/sign-in/code/passkey/options")
@public
def second_passkey_options() -> ResponseReturnValue:
    """Which passkeys the person has who is half-way in."""
    now = clock.now()
    flow_id = request.args.get("flow")
    try:
        return passkey.ask_second(flow_id, browser=this_browser(now), now=now)
    except NothingToProve:
        return _start_over(flow_id, now)


@blueprint.app_errorhandler(FlowExpired)
def go_on_where_it_stopped(expired: FlowExpired) -> ResponseReturnValue:
    """The page was open too long: begin again towards the same goal, with the address kept."""
    now = clock.now()
    if expired.request is None and expired.return_to is None:
        return error_page(
            400,
            title=_("This sign-in is over"),
            reason=_(
                "The page was open too long, or was opened in another browser, or the browser keeps"
                " no cookies."
            ),
            way_out=_("Sign in again, here or from the application where you began."),
            link=url_for("sign_in.address"),
            link_text=_("Sign in"),
            code="flow_expired",
        )
    with db.transaction() as session:
        flow = flows.start(
            session,
            browser_hash=hash_token(browser_id()),
            request=expired.request,
            return_to=expired.return_to,
            email=expired.email,
            now=now,
        )
    if request.method == "POST":
        toast(_("The page was open too long. Go on from here."), kind="warning")
    return redirect(url_for("authorize.resume", flow=flow.id), 303)


def _check_password(
    flow_id: str | None, email: str | None, typed: str, browser: Browser, now: datetime
) -> ResponseReturnValue:
    outcome = first_factor.prove(flow_id, email=email, typed=typed, browser=browser, now=now)
    if isinstance(outcome, Proved):
        return _go_on(flow_id, outcome.cookies)
    form = PasswordForm(formdata=None)
    form.password.errors = [
        _wait(outcome)
        if isinstance(outcome, Throttled)
        else _("Address and password do not match. Check both, or set a new password.")
    ]
    page = _page("sign_in/password.html", _load(flow_id, now), form=form)
    if isinstance(outcome, Throttled):
        return _too_many(page, outcome)
    return make_response(page, 422)


def _code_page(form: CodeForm, browser: Browser, now: datetime) -> str | Response:
    flow_id = request.args.get("flow")
    try:
        question = second_factor.ask(flow_id, browser=browser, now=now)
    except NothingToProve:
        return _start_over(flow_id, now)
    on_paper = request.args.get("way") == "recovery" and not question.by_mail
    return _page(
        "sign_in/code.html",
        _load(flow_id, now),
        form=form,
        question=question,
        on_paper=on_paper,
    )


def _start_over(flow_id: str | None, now: datetime) -> Response:
    second_factor.start_over(flow_id, browser=this_browser(now), now=now)
    return _go_on(flow_id, None)


def _page(template: str, flow: FlowState, **words: object) -> str:
    return render_template(
        template,
        flow=flow,
        destination=destination_of(flow),
        registration_open=current_settings().registration_open,
        **words,
    )


def _go_on(flow_id: str | None, cookies: Cookies | None) -> Response:
    response: Response = redirect(url_for("authorize.resume", flow=flow_id), 303)  # type: ignore[assignment]
    if cookies is not None:
        cookies.give(response)
    return response


def _too_many(page: str | Response, throttled: Throttled) -> Response:
    response = make_response(page, 429)
    response.headers["Retry-After"] = str(throttled.retry_after)
    return response


def _wait(throttled: Throttled) -> str:
    if throttled.for_good:
        return str(_("There were too many wrong tries. Set a new password to go on."))
    minutes = -(-throttled.retry_after // 60)
    return str(
        ngettext(
            "Too many wrong tries. Try again in %(num)d minute, or set a new password.",
            "Too many wrong tries. Try again in %(num)d minutes, or set a new password.",
            minutes,
        )
    )


def _wait_a_little(throttled: Throttled) -> str:
    minutes = -(-throttled.retry_after // 60)
    return str(
        ngettext(
            "Too many tries with a passkey. Try again in %(num)d minute, or another way.",
            "Too many tries with a passkey. Try again in %(num)d minutes, or another way.",
            minutes,
        )
    )


def _passkey_refused() -> str:
    return str(_("This passkey can't be used here, or it took too long. Try again or another way."))


def _credential(form: PasskeyForm) -> str:
    # Longer is refused by its length, wherever it is cut.
    return (form.credential.data or "")[: LONGEST_ANSWER + 1]


def _flow(now: datetime) -> FlowState | None:
    """The flow that the address names, or None when it names none."""
    flow_id = request.args.get("flow")
    return _load(flow_id, now) if flow_id else None


def _load(flow_id: str | None, now: datetime) -> FlowState:
    with db.glancing() as glance:
        return flows.load(glance, flow_id, hash_token(browser_id()), now)


def _begin(browser: Browser, now: datetime) -> str:
    with db.transaction() as session:
        flow = flows.start(
            session,
            browser_hash=browser.id_hash,
            return_to=url_for("account.profile"),
            now=now,
        )
    return str(flow.id)


def _login_hint(flow: FlowState) -> str:
    hint = (flow.request or {}).get("login_hint")
    return hint if isinstance(hint, str) else ""
