"""What all account pages share: who may see them, the menu, and asking for the password again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Concatenate, ParamSpec

from flask import Blueprint, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from idp.credentials import passkeys, totp
from idp.flows import service as flows
from idp.protocol import acr
from idp.sessions import service as sessions
from idp.sessions.service import SignedIn
from kernel import clock
from kernel.crypto import hash_token
from kernel.i18n import _
from kernel.web import Application, MenuLink, NavigationItem, PersonMenu, browser_id, requires
from tenants.database import db

blueprint = Blueprint("account", __name__)

# What one comes to from login security, and where its line in the menu stays marked.
_FACTOR_PAGES = (
    "/account/password",
    "/account/passkeys",
    "/account/authenticator",
    "/account/recovery-codes",
)
# Factors are changed only by somebody who has just proved one.
FRESH_FOR = timedelta(minutes=5)

Parameters = ParamSpec("Parameters")


def signed_in(
    view: Callable[Concatenate[SignedIn, Parameters], ResponseReturnValue],
) -> Callable[Parameters, ResponseReturnValue]:
    """A page for people who are signed in; the view gets who it is. Others sign in first."""

    @requires("session")
    @wraps(view)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> ResponseReturnValue:
        me = sessions.current(clock.now())
        if me is None:
            return sign_in_first(clock.now())
        return view(me, *args, **kwargs)

    return guarded


def recently_signed_in(
    view: Callable[Concatenate[SignedIn, Parameters], ResponseReturnValue],
) -> Callable[Parameters, ResponseReturnValue]:
    """A page for people who have just signed in; who did so earlier proves it again first.

    A remembered device spares the code at sign-in, and not here: with the password alone, whoever
    sits at it could take the authenticator app away.
    """

    @signed_in
    @wraps(view)
    def guarded(
        me: SignedIn, /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> ResponseReturnValue:
        missing = proof_first(me, clock.now())
        return missing if missing is not None else view(me, *args, **kwargs)

    return guarded


def proof_first(me: SignedIn, now: datetime) -> ResponseReturnValue | None:
    """Lead to what has to be proved before a factor is changed; None when nothing has to."""
    if now - me.auth_time > FRESH_FOR:
        return sign_in_first(now, again=me)
    if me.acr != acr.TWO_FACTOR and (acr.REMEMBERED_DEVICE in me.amr or has_better_than_mail(me)):
        return _code_first(now)
    return None


def sign_in_first(now: datetime, *, again: SignedIn | None = None) -> ResponseReturnValue:
    """Lead to signing in, and afterwards back to this page."""
    with db.transaction() as session:
        flow = flows.start(
            session,
            browser_hash=hash_token(browser_id()),
            return_to=_where_to_return(),
            email=again.email if again is not None else None,
            password_first=again is not None,
            now=now,
        )
    return redirect(url_for("authorize.resume", flow=flow.id), 303)


def _code_first(now: datetime) -> ResponseReturnValue:
    """Lead to the passkey or a code, from the app or by mail, and afterwards back to this page."""
    with db.transaction() as session:
        flow = flows.start(
            session, browser_hash=hash_token(browser_id()), return_to=_where_to_return(), now=now
        )
    return redirect(url_for("sign_in.code", flow=flow.id), 303)


def has_better_than_mail(me: SignedIn) -> bool:
    """Whether the person has an authenticator app, a passkey or a security key."""
    with db.reading() as session:
        return totp.is_enrolled(session, person_id=me.person_id) or passkeys.is_enrolled(
            session, person_id=me.person_id
        )


def _where_to_return() -> str:
    """This page, or where its button was: nothing is carried out that was pressed before."""
    if request.method == "GET":
        return request.full_path.removesuffix("?")
    takes_get = "GET" in current_app.url_map.bind("").allowed_methods(request.path)
    return request.path if takes_get else url_for("account.security")


@blueprint.context_processor
def _shell() -> dict[str, object]:
    me = sessions.current(clock.now())
    if me is None:
        return {}
    return {
        "application": Application(name="", home=url_for("account.profile")),
        "navigation": [
            NavigationItem(_("Profile"), url_for("account.profile"), "user-circle"),
            NavigationItem(
                _("Login security"), url_for("account.security"), "shield-lock", also=_FACTOR_PAGES
            ),
            NavigationItem(_("Invitations"), url_for("account.invitations"), "mail-check"),
            NavigationItem(_("Sessions"), url_for("account.open_sessions"), "devices"),
            NavigationItem(_("Sign-in history"), url_for("account.history"), "list"),
        ],
        "person_menu": PersonMenu(
            name=me.short_name,
            email=me.email,
            sign_out=url_for("account.sign_out"),
            links=[
                MenuLink(_("Profile"), url_for("account.profile"), "user-circle"),
                MenuLink(_("Login security"), url_for("account.security"), "shield-lock"),
            ],
        ),
    }
