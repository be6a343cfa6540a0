"""The page of the second factor."""

from datetime import datetime

from flask import Response, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp.mailbox.no_mail import mails_wait
from idp.sessions.browser import Browser, this_browser
from idp.sign_in import code as second_factor
from idp.sign_in import passkey
from idp.sign_in.forms import CodeForm
from idp.sign_in.outcomes import Exhausted, Proved, Throttled, Wrong
from idp.sign_in.prover import NothingToProve
from idp.sign_in.views.pages import (
    blueprint,
    credential_of,
    go_on,
    load,
    passkey_refused,
    show,
    start_over,
    wait_a_little,
)
from idp.sign_in.waiting import told_to_wait, too_many
from kernel import clock
from kernel.i18n import _
from kernel.web import public, toast


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
    credential, remember = credential_of(form), bool(form.remember.data)
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
        return start_over(flow_id, now)
    match outcome:
        case Proved(cookies):
            return go_on(flow_id, cookies)
        case Exhausted(new_flow_id):
            toast(_("Too many wrong codes. Enter the password again."), kind="warning")
            return redirect(url_for("sign_in.password", flow=new_flow_id), 303)
        case Throttled():
            wait = wait_a_little(outcome) if credential else told_to_wait(outcome)
            (form.credential if credential else form.code).errors = [wait]
            return too_many(_code_page(form, browser, now), outcome)
        case Wrong() if credential:
            form.credential.errors = [passkey_refused()]
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
        return start_over(flow_id, now)
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
        return start_over(flow_id, now)


def _code_page(form: CodeForm, browser: Browser, now: datetime) -> str | Response:
    flow_id = request.args.get("flow")
    try:
        question = second_factor.ask(flow_id, browser=browser, now=now)
    except NothingToProve:
        return start_over(flow_id, now)
    on_paper = request.args.get("way") == "recovery" and not question.by_mail
    return show(
        "sign_in/code.html",
        load(flow_id, now),
        form=form,
        question=question,
        on_paper=on_paper,
    )
