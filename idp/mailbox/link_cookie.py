"""Where a mailed link's token waits between opening and confirming: not in the address.

The address of a page is kept in histories, logs and referrers; a cookie of ours is not.
"""

from datetime import timedelta

from flask import Response, make_response, redirect, request, url_for

from kernel.web import delete_cookie, read_cookie, set_cookie

_COOKIE = "klucznik_link"
_LIFETIME = timedelta(minutes=15)


def take_over(endpoint: str, *, lifetime: timedelta = _LIFETIME) -> Response | None:
    """The way to this page without the token in its address; None when none stands there."""
    token = request.args.get("token")
    if token is None:
        return None
    response = make_response(redirect(url_for(endpoint), 303))
    set_cookie(response, _COOKIE, token[:200], lifetime=lifetime)
    return response


def kept() -> str:
    """The token that waits, or an empty text, which opens nothing."""
    return read_cookie(_COOKIE) or ""


def drop(response: Response) -> None:
    """It was used."""
    delete_cookie(response, _COOKIE)
