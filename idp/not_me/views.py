"""The page behind «this was not me», and the page for who is locked out."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from idp.mailbox import link_cookie
from idp.not_me import service
from idp.not_me.locks import Locked
from idp.not_me.service import LinkSpent
from idp.sessions.browser import this_browser
from idp.settings import current_settings
from kernel import clock
from kernel.i18n import _, in_time_zone, ngettext
from kernel.web import error_page, public, toast

blueprint = Blueprint("not_me", __name__)


@blueprint.get("/not-me")
@public
def ask() -> ResponseReturnValue:
    """The link of a notice: the token leaves the address, and nothing is done by looking."""
    without_token = link_cookie.take_over("not_me.ask")
    if without_token is not None:
        return without_token
    try:
        question = service.ask(link_cookie.kept(), now=clock.now())
    except LinkSpent:
        return _link_spent()
    with in_time_zone(question.zoneinfo):
        return render_template("not_me/ask.html", question=question)


@blueprint.post("/not-me")
@public
def lock() -> ResponseReturnValue:
    """Lock the ID, and lead on to a new password."""
    now = clock.now()
    try:
        flow_id = service.refuse(
            link_cookie.kept(),
            browser=this_browser(now),
            return_to=url_for("account.security"),
            now=now,
        )
    except LinkSpent:
        return _link_spent()
    toast(
        _("Your ID is locked, and everybody is signed out. Set a new password now."),
        kind="warning",
    )
    response = make_response(redirect(url_for("recovery.password", flow=flow_id), 303))
    link_cookie.drop(response)
    return response


@blueprint.app_errorhandler(Locked)
def locked(_refusal: Locked) -> ResponseReturnValue:
    """Whoever proves the right thing for a locked ID is told how it opens again."""
    return error_page(
        403,
        title=_("This ID is locked"),
        reason=_(
            "Its owner, or the support office, locked it so that nobody gets in with the old"
            " password. What you entered was right, but it is not enough now."
        ),
        way_out=_("Set a new password by mail. That opens the ID again."),
        link=url_for("recovery.address", flow=request.args.get("flow")),
        link_text=_("Set a new password"),
        code="locked",
    )


def _link_spent() -> Response:
    days = current_settings().not_me_days
    return error_page(
        400,
        title=_("This link does not work any more"),
        reason=ngettext(
            "It was used already, or more than %(num)d day has passed.",
            "It was used already, or more than %(num)d days have passed.",
            days,
        ),
        way_out=_(
            "Do you still think that somebody else uses your ID? Set a new password: it signs"
            " everybody out."
        ),
        link=url_for("recovery.address"),
        link_text=_("Set a new password"),
        code="link_spent",
    )
