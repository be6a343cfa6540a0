"""The page behind the link of an invitation: what is offered, to whom, and the answer to it."""

from collections.abc import Callable
from datetime import timedelta

from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from idp.invitations import service
from idp.invitations.service import Over, SomebodyElse, Way
from idp.mailbox import link_cookie
from idp.sessions import service as sessions
from idp.sessions.browser import this_browser
from idp.settings import current_settings
from kernel import clock
from kernel.i18n import _
from kernel.web import error_page, forward, public, toast
from tenants.members.service import AlreadyMember

# Whoever has no ID yet makes one first, and may open other mails of ours meanwhile.
_COOKIE = "klucznik_invitation"
_PAGE_STAYS_OPEN = timedelta(hours=2)

blueprint = Blueprint("invitations", __name__)


@blueprint.get("/invitation")
@public
def open_link() -> ResponseReturnValue:
    """A mailed link: the token leaves the address, and nothing is answered by looking."""
    without_token = link_cookie.take_over(
        "invitations.open_link", lifetime=_PAGE_STAYS_OPEN, cookie=_COOKIE
    )
    if without_token is not None:
        return without_token
    now = clock.now()
    try:
        offer = service.look(link_cookie.kept(_COOKIE), now=now)
    except Over:
        return _over()
    me = sessions.current(now)
    return render_template(
        "invitations/offer.html", offer=offer, me=me, is_for_me=service.is_for(offer, me)
    )


@blueprint.post("/invitation")
@public
def accept() -> ResponseReturnValue:
    """Take up the place, and go on to work in that account."""
    now = clock.now()
    try:
        account = service.accept(link_cookie.kept(_COOKIE), me=sessions.current(now), now=now)
    except Over:
        return _over()
    except SomebodyElse:
        # They have signed out, or somebody else in, since the page was shown.
        return redirect(url_for("invitations.open_link"), 303)
    except AlreadyMember:
        toast(_("You were added to this account already. What waits for your yes is here."))
        return redirect(url_for("account.invitations"), 303)
    # A form was posted: browsers would not follow a redirect to another origin.
    response = forward(f"{current_settings().portal_url}/a/{account}")
    link_cookie.drop(response, _COOKIE)
    return response


@blueprint.post("/invitation/decline")
@public
def decline() -> ResponseReturnValue:
    """Turn the place down."""
    now = clock.now()
    try:
        service.decline(link_cookie.kept(_COOKIE), me=sessions.current(now), now=now)
    except Over:
        return _over()
    response = make_response(redirect(url_for("invitations.declined"), 303))
    link_cookie.drop(response, _COOKIE)
    return response


@blueprint.get("/invitation/declined")
@public
def declined() -> ResponseReturnValue:
    """Say that nothing more will come of it."""
    return render_template("invitations/declined.html")


@blueprint.post("/invitation/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """Sign in with the ID of that address, and come back."""
    try:
        return _go(_begin(service.sign_in))
    except Over:
        return _over()


@blueprint.post("/invitation/register")
@public
def register() -> ResponseReturnValue:
    """Make an ID with that address, and come back."""
    try:
        way = _begin(service.register)
    except Over:
        return _over()
    if not way.registers:
        toast(_("There is an ID with this address already. Sign in with it."), kind="info")
    return _go(way)


def lets_register(flow_id: str | None) -> bool:
    """Whether this browser came with an invitation, and this flow is about its address."""
    now = clock.now()
    return service.lets_register(
        link_cookie.kept(_COOKIE), flow_id, browser=this_browser(now), now=now
    )


def _begin(way: Callable[..., Way]) -> Way:
    """A flow of this browser that leads back to the invitation. Raises Over."""
    now = clock.now()
    return way(
        link_cookie.kept(_COOKIE),
        browser=this_browser(now),
        return_to=url_for("invitations.open_link"),
        now=now,
    )


def _go(way: Way) -> Response:
    page = "registration.password" if way.registers else "authorize.resume"
    return make_response(redirect(url_for(page, flow=way.flow_id), 303))


def _over() -> Response:
    return error_page(
        400,
        title=_("This invitation does not work any more"),
        reason=_(
            "It was accepted or declined, its time is over, it was taken back, or a newer mail has"
            " replaced it."
        ),
        way_out=_(
            "Open the link of the newest mail. Is there none? Ask whoever invited you to send the"
            " invitation again."
        ),
        link=url_for("account.invitations"),
        link_text=_("See what waits for you"),
        code="invitation_over",
    )
