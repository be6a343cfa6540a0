"""The pages of «I have none of these»: explanation → proof of the mailbox → request, or removal.

Whether there is something to ask for, to wait for or to use is looked up on every page.
"""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.credentials.lost_factors import State
from idp.lost_factors import service
from idp.lost_factors.forms import CodeForm, RequestForm
from idp.lost_factors.service import (
    MailboxNotProved,
    NothingLost,
    NotReady,
    PasswordMissing,
    Standing,
    TooMany,
)
from idp.mailbox import link_cookie
from idp.mailbox.no_mail import mails_wait
from idp.sessions import service as sessions
from idp.sessions.browser import this_browser
from idp.settings import current_settings
from idp.sign_in.outcomes import Exhausted, Proved, Throttled, Wrong
from idp.sign_in.waiting import told_to_wait, too_many
from kernel import clock
from kernel.i18n import _, format_moment
from kernel.web import error_page, public, requires, toast

blueprint = Blueprint("lost_factors", __name__)


@blueprint.get("/lost-factors")
@public
def start() -> ResponseReturnValue:
    """Say what can be done, and where a request stands."""
    now = clock.now()
    flow_id = request.args.get("flow")
    if flow_id is None:
        flow = service.begin(
            None, browser=this_browser(now), return_to=url_for("account.security"), now=now
        )
        return redirect(url_for("lost_factors.start", flow=flow), 303)
    standing = service.look(flow_id, browser=this_browser(now), now=now)
    return _page("lost_factors/start.html", standing)


@blueprint.post("/lost-factors/code/send")
@public
def send_code() -> ResponseReturnValue:
    """Mail a code, again or for the first time."""
    now = clock.now()
    flow_id = request.args.get("flow")
    throttled = service.send(flow_id, browser=this_browser(now), now=now)
    if throttled is not None:
        toast(mails_wait(throttled.retry_after), kind="warning")
    return redirect(url_for("lost_factors.code", flow=flow_id), 303)


@blueprint.get("/lost-factors/code")
@public
def code() -> ResponseReturnValue:
    """Ask for the code from the mail."""
    now = clock.now()
    standing = service.look(request.args.get("flow"), browser=this_browser(now), now=now)
    return _code_page(CodeForm(), standing)


@blueprint.post("/lost-factors/code")
@public
def submit_code() -> ResponseReturnValue:
    """Check it."""
    now = clock.now()
    browser, form = this_browser(now), CodeForm()
    flow_id = request.args.get("flow")
    outcome = service.prove(flow_id, text=(form.code.data or "")[:100], browser=browser, now=now)
    match outcome:
        case Proved():
            return redirect(url_for("lost_factors.request_help", flow=flow_id), 303)
        case Exhausted(new_flow_id):
            toast(_("Too many wrong codes. Enter the password again."), kind="warning")
            return redirect(url_for("sign_in.password", flow=new_flow_id), 303)
        case Throttled():
            form.code.errors = [told_to_wait(outcome)]
        case Wrong():
            form.code.errors = [
                _("This code is not right, or it has expired. Check it, or have a new one sent.")
            ]
    page = _code_page(form, service.look(flow_id, browser=browser, now=now))
    if isinstance(outcome, Throttled):
        return too_many(page, outcome)
    return make_response(page, 422)


@blueprint.get("/lost-factors/request")
@public
def request_help() -> ResponseReturnValue:
    """Ask how to reach the person; or, where the waiting is over, offer what was waited for."""
    now = clock.now()
    standing = service.look(request.args.get("flow"), browser=this_browser(now), now=now)
    if not standing.mailbox_is_proved:
        return _to("lost_factors.start")
    if standing.state is State.READY:
        return _page("lost_factors/finish.html", standing)
    if standing.state in {State.ASKED, State.WAITING}:
        return _to("lost_factors.start")
    return _page("lost_factors/request.html", standing, form=RequestForm())


@blueprint.post("/lost-factors/request")
@public
def submit_request() -> ResponseReturnValue:
    """Put the request before the operator."""
    now = clock.now()
    browser, form = this_browser(now), RequestForm()
    flow_id = request.args.get("flow")
    if not form.validate():
        standing = service.look(flow_id, browser=browser, now=now)
        return make_response(_page("lost_factors/request.html", standing, form=form), 422)
    outcome = service.ask(
        flow_id,
        contact=form.contact.data or "",
        note=form.note.data or "",
        browser=browser,
        now=now,
    )
    if isinstance(outcome, TooMany):
        form.form_errors = [
            _(
                "There were several requests already. You can make another one from %(when)s on.",
                when=format_moment(outcome.until),
            )
        ]
        standing = service.look(flow_id, browser=browser, now=now)
        return make_response(_page("lost_factors/request.html", standing, form=form), 429)
    return _to("lost_factors.start")


@blueprint.post("/lost-factors/finish")
@public
def finish() -> ResponseReturnValue:
    """Remove the factors, sign in, and lead to adding a new one."""
    now = clock.now()
    flow_id = request.args.get("flow")
    cookies = service.finish(flow_id, browser=this_browser(now), now=now)
    response = make_response(redirect(url_for("lost_factors.done", flow=flow_id), 303))
    cookies.give(response)
    return response


@blueprint.get("/lost-factors/done")
@requires("session")
def done() -> ResponseReturnValue:
    """Say what is true now, and offer a new factor before anything else."""
    if sessions.current(clock.now()) is None:
        return redirect(url_for("sign_in.address"), 303)
    return render_template("lost_factors/done.html", flow_id=request.args.get("flow"))


@blueprint.get("/lost-factors/stop")
@public
def open_stop_link() -> ResponseReturnValue:
    """A mailed link: the token leaves the address, and nothing is stopped by looking."""
    without_token = link_cookie.take_over("lost_factors.open_stop_link")
    if without_token is not None:
        return without_token
    if not service.can_stop(link_cookie.kept(), now=clock.now()):
        return _link_spent()
    return render_template("lost_factors/stop.html")


@blueprint.post("/lost-factors/stop")
@public
def stop() -> ResponseReturnValue:
    """Stop it. The answer says what to do about the password, which somebody knows."""
    now = clock.now()
    if not service.stop(link_cookie.kept(), browser=this_browser(now), now=now):
        return _link_spent()
    response = make_response(render_template("lost_factors/stopped.html"))
    link_cookie.drop(response)
    return response


@blueprint.errorhandler(PasswordMissing)
def _password_first(_error: PasswordMissing) -> ResponseReturnValue:
    """Whoever comes without a password that was just typed types it, and comes back."""
    now = clock.now()
    flow = service.password_first(
        request.args.get("flow"),
        browser=this_browser(now),
        return_to=url_for("lost_factors.start"),
        now=now,
    )
    return redirect(url_for("authorize.resume", flow=flow), 303)


@blueprint.errorhandler(NothingLost)
def _go_on(_error: NothingLost) -> ResponseReturnValue:
    return _to("authorize.resume")


@blueprint.errorhandler(MailboxNotProved)
@blueprint.errorhandler(NotReady)
def _look_again(_error: Exception) -> ResponseReturnValue:
    """The first page says where the request stands now."""
    return _to("lost_factors.start")


def _code_page(form: CodeForm, standing: Standing) -> ResponseReturnValue:
    if not standing.code_was_sent and not form.code.errors and standing.mail_wait is None:
        return _to("lost_factors.start")
    return _page("lost_factors/code.html", standing, form=form)


def _page(template: str, standing: Standing, **words: object) -> str:
    return render_template(
        template,
        standing=standing,
        flow_id=request.args.get("flow"),
        waiting_hours=current_settings().lost_factors_waiting_hours,
        **words,
    )


def _to(endpoint: str) -> Response:
    return make_response(redirect(url_for(endpoint, flow=request.args.get("flow")), 303))


def _link_spent() -> Response:
    return error_page(
        400,
        title=_("This link does not work any more"),
        reason=_("The request is over already, or a newer mail has a newer link."),
        way_out=_("Have you signed in lately? Login security shows what happened to your ID."),
        link=url_for("account.security"),
        link_text=_("See login security"),
        code="link_spent",
    )
