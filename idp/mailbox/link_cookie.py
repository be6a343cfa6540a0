"""Where a mailed link's token waits between opening and confirming: not in the address.

The address of a page is kept in histories, logs and referrers; a cookie of ours is not.
"""

from datetime import timedelta

from flask import Response, make_response, redirect, request, url_for

from kernel.web import delete_cookie, read_cookie, set_cookie

_COOKIE = "klucznik_link"
_LIFETIME = timedelta(minutes=15)


def take_over(
    endpoint: str, *, lifetime: timedelta = _LIFETIME, cookie: str = _COOKIE
) -> Response | None:
    """The way to this page without the token in its address; None when none stands there.

    A link has a `cookie` of its own where others may be opened before it is used.
    """
    token = request.args.get("token")
    if token is None:
        return None
    response = make_response(redirect(url_for(endpoint), 303))
    set_cookie(response, cookie, token[:200], lifetime=lifetime)
    return response


def kept(cookie: str = _COOKIE) -> str:
    """The token that waits, or an empty text, which opens nothing."""
    return read_cookie(cookie) or ""


def drop(response: Response, cookie: str = _COOKIE) -> None:
    """It was used."""
    delete_cookie(response, cookie)
