"""The pages of the first access: an own password after a temporary one, and the welcome link."""

from datetime import timedelta

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.access import own_password, welcome
from idp.access.forms import PasswordForm
from idp.access.own_password import NothingToSet, Over, Question
from idp.access.welcome import LinkSpent
from idp.credentials.password import Problem
from idp.forms import explain
from idp.mailbox import link_cookie
from idp.sessions.browser import this_browser
from idp.settings import current_settings
from idp.sign_in.completion import Cookies
from kernel import clock
from kernel.i18n import _
from kernel.web import forward, public, toast

# A first password is not thought of in a minute.
_PAGE_STAYS_OPEN = timedelta(hours=2)

blueprint = Blueprint("access", __name__)


@blueprint.get("/sign-in/new-password")
@public
def new_password() -> ResponseReturnValue:
    """Ask who came with a temporary password for one of their own."""
    now = clock.now()
    flow_id = request.args.get("flow")
    try:
        question = own_password.ask(flow_id, browser=this_browser(now), now=now)
    except NothingToSet:
        return _sign_in_again(flow_id)
    return _question_page(PasswordForm(), question)


@blueprint.post("/sign-in/new-password")
@public
def set_new_password() -> ResponseReturnValue:
    """Set it, and sign in with it."""
    now = clock.now()
    browser, form = this_browser(now), PasswordForm()
    flow_id = request.args.get("flow")
    try:
        outcome = own_password.choose(
            flow_id, form.new_password.data or "", browser=browser, now=now
        )
        if not isinstance(outcome, Problem):
            return _go_on(flow_id, outcome)
        form.new_password.errors = [explain(outcome)]
        question = own_password.ask(flow_id, browser=browser, now=now)
    except Over:
        return redirect(url_for("access.new_password", flow=flow_id), 303)
    except NothingToSet:
        toast(
            _(
                "You have set a password already, or a newer mail has replaced the temporary one."
                " Sign in with what is newest."
            ),
            kind="warning",
        )
        return _sign_in_again(flow_id)
    return make_response(_question_page(form, question), 422)


@blueprint.post("/sign-in/new-password/send")
@public
def send_temporary_password() -> ResponseReturnValue:
    """Mail a fresh temporary password to who typed one that is over."""
    now = clock.now()
    flow_id = request.args.get("flow")
    try:
        own_password.send_again(flow_id, browser=this_browser(now), now=now)
    except NothingToSet:
        return _sign_in_again(flow_id)
    toast(_("A new temporary password is on its way. Type it here when the mail has come."))
    return redirect(url_for("authorize.resume", flow=flow_id), 303)


@blueprint.get("/welcome")
@public
def open_link() -> ResponseReturnValue:
    """A mailed link: the token leaves the address, and nothing is spent by looking."""
    without_token = link_cookie.take_over("access.open_link", lifetime=_PAGE_STAYS_OPEN)
    if without_token is not None:
        return without_token
    try:
        email = welcome.ask(link_cookie.kept(), now=clock.now())
    except LinkSpent:
        return _link_spent()
    return _welcome_page(PasswordForm(), email)


@blueprint.post("/welcome")
@public
def use_link() -> ResponseReturnValue:
    """Spend the link for a password, and go on signed in."""
    now = clock.now()
    token, form = link_cookie.kept(), PasswordForm()
    try:
        outcome = welcome.choose(
            token, form.new_password.data or "", browser=this_browser(now), now=now
        )
        if isinstance(outcome, Problem):
            form.new_password.errors = [explain(outcome)]
            return make_response(_welcome_page(form, welcome.ask(token, now=now)), 422)
    except LinkSpent:
        return _link_spent()
    # A form was posted: browsers would not follow a redirect to another origin.
    response = (
        forward(outcome.return_to)
        if outcome.return_to is not None
        else make_response(redirect(url_for("account.profile"), 303))
    )
    outcome.cookies.give(response)
    link_cookie.drop(response)
    return response


@blueprint.post("/welcome/send")
@public
def send_link() -> ResponseReturnValue:
    """Mail a fresh link to where the old one went. The answer is always the same."""
    now = clock.now()
    welcome.send_again(link_cookie.kept(), browser=this_browser(now), now=now)
    return redirect(url_for("access.link_sent"), 303)


@blueprint.get("/welcome/sent")
@public
def link_sent() -> ResponseReturnValue:
    """Say what to do while the mail is on its way."""
    return render_template("access/link_sent.html")


def _question_page(form: PasswordForm, question: Question) -> str:
    return render_template(
        "access/over.html" if question.is_over else "access/new_password.html",
        form=form,
        email=question.email,
        minimum=current_settings().password_min_length,
        flow_id=request.args.get("flow"),
    )


def _welcome_page(form: PasswordForm, email: str) -> str:
    return render_template(
        "access/welcome.html",
        form=form,
        email=email,
        minimum=current_settings().password_min_length,
    )


def _link_spent() -> Response:
    page = render_template("access/link_over.html", can_send=bool(link_cookie.kept()))
    return make_response(page, 400)


def _sign_in_again(flow_id: str | None) -> Response:
    """The temporary password counts no more: whatever there is now, one signs in with that."""
    now = clock.now()
    own_password.forget(flow_id, browser=this_browser(now), now=now)
    return _go_on(flow_id, None)


def _go_on(flow_id: str | None, cookies: Cookies | None) -> Response:
    response = make_response(redirect(url_for("authorize.resume", flow=flow_id), 303))
    if cookies is not None:
        cookies.give(response)
    return response
