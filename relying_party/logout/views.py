"""Signing out by hand (`/logout`), the page after it, and the provider's call (back-channel)."""

from typing import cast

from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from kernel import clock
from kernel.observability.logs import get_logger
from kernel.observability.metrics import counter
from kernel.web import csrf_exempt, delete_cookie, forget_browser, forward, public, requires
from relying_party.client import BACKCHANNEL_LOGOUT_PATH, SIGNED_OUT_PATH
from relying_party.errors import LogoutRefused
from relying_party.logout.service import Logout
from relying_party.sessions import current

EXTENSION = "klucznik.relying_party.logout"
blueprint = Blueprint("logout", __name__)
log = get_logger(__name__)

_logout_tokens = counter(
    "logout_tokens_total", "Logout tokens that the provider sent", ["program", "result"]
)


@blueprint.get("/logout")
@public
def ask() -> ResponseReturnValue:
    """Ask before signing out: a link on another site must not be able to do it."""
    secret = current.session_secret(current_app.name)
    person = _logout().who_asks(secret, now=clock.now())
    if person is None:
        return redirect(url_for("logout.done"), code=303)
    return render_template("relying_party/sign_out.html", person=person)


@blueprint.post("/logout")
@public
def sign_out() -> ResponseReturnValue:
    """End the session here, then go on to end it at the identity program."""
    program, now = current_app.name, clock.now()
    person = _logout().who_asks(current.session_secret(program), now=now)
    if person is None:
        return _without_traces(redirect(url_for("logout.done"), code=303))
    signed_out = _logout().sign_out(person, now=now)
    forget_browser()
    if signed_out.provider_url is None:
        page = render_template("relying_party/signed_out.html", only_here=True)
        return _without_traces(make_response(page))
    return _without_traces(forward(signed_out.provider_url))


@blueprint.get(SIGNED_OUT_PATH)
@public
def done() -> ResponseReturnValue:
    """Say that it is done; the provider sends people here afterwards."""
    return render_template("relying_party/signed_out.html", only_here=False)


@blueprint.post(BACKCHANNEL_LOGOUT_PATH)
@requires("client")
@csrf_exempt
def receive() -> ResponseReturnValue:
    """The provider says, signed, that a sign-in is over (OpenID Connect Back-Channel Logout)."""
    given = request.form.getlist("logout_token")
    try:
        if len(given) != 1:
            raise LogoutRefused("not exactly one logout token")
        _logout().receive(given[0], now=clock.now())
    except LogoutRefused as refusal:
        _logout_tokens.labels(current_app.name, "refused").inc()
        log.warning("logout_refused", detail=refusal.detail)
        response = make_response({"error": refusal.reason}, 400)
    else:
        _logout_tokens.labels(current_app.name, "success").inc()
        response = make_response("", 200)
    response.headers["Cache-Control"] = "no-store"
    return response


def _without_traces(response: Response) -> Response:
    delete_cookie(response, current.session_cookie(current_app.name))
    # Never "cookies": that would empty those of our neighbours on other ports.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _logout() -> Logout:
    return cast(Logout, current_app.extensions[EXTENSION])
