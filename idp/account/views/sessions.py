"""Open sessions and remembered devices, and their ending."""

from uuid import UUID

from flask import make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from idp.account import security as own_security
from idp.account.pages import blueprint, recently_signed_in, signed_in
from idp.sessions import service as sessions
from idp.sessions.browser import this_browser
from idp.sessions.service import SignedIn
from kernel import clock
from kernel.i18n import _, ngettext
from kernel.web import forget_browser, toast


@blueprint.get("/account/sessions")
@signed_in
def open_sessions(me: SignedIn) -> ResponseReturnValue:
    """Show where the person is signed in, and where no code is asked for."""
    places = own_security.places(me, now=clock.now())
    return render_template("account/sessions.html", places=places, me=me)


@blueprint.post("/account/sessions/<uuid:session_id>/end")
@recently_signed_in
def end_session(me: SignedIn, session_id: UUID) -> ResponseReturnValue:
    """End one session."""
    now = clock.now()
    own_security.end_session(me, session_id, browser=this_browser(now), now=now)
    toast(_("That device is signed out."))
    return redirect(url_for("account.open_sessions"), 303)


@blueprint.post("/account/sessions/end-others")
@recently_signed_in
def end_other_sessions(me: SignedIn) -> ResponseReturnValue:
    """Sign out everywhere else."""
    now = clock.now()
    ended = own_security.end_others(me, browser=this_browser(now), now=now)
    toast(
        ngettext(
            "You are signed out on %(num)d other device.",
            "You are signed out on %(num)d other devices.",
            ended,
        )
    )
    return redirect(url_for("account.open_sessions"), 303)


@blueprint.post("/account/sessions/end-all")
@recently_signed_in
def end_all_sessions(me: SignedIn) -> ResponseReturnValue:
    """Sign out on all devices, this one too."""
    now = clock.now()
    own_security.end_all(me, browser=this_browser(now), now=now)
    forget_browser()
    toast(_("You are signed out on all devices."))
    response = make_response(redirect(url_for("sign_in.address"), 303))
    return sessions.end_in_browser(response)


@blueprint.post("/account/devices/<uuid:device_id>/forget")
@signed_in
def forget_device(me: SignedIn, device_id: UUID) -> ResponseReturnValue:
    """Ask for a code again on one device."""
    now = clock.now()
    own_security.forget_device(me, device_id, browser=this_browser(now), now=now)
    toast(_("That device will be asked for a code again."))
    return redirect(url_for("account.open_sessions"), 303)


@blueprint.post("/sign-out")
@signed_in
def sign_out(me: SignedIn) -> ResponseReturnValue:
    """Sign out of this browser, and of every application that was entered from here."""
    now = clock.now()
    own_security.sign_out(me, browser=this_browser(now), now=now)
    forget_browser()
    return redirect(url_for("logout.done"), 303)
