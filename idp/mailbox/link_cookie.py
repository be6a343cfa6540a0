"""Where a mailed link's token waits between opening and confirming: not in the address.

The address of a page is kept in histories, logs and referrers; a cookie of ours is not.
"""

from datetime import timedelta

from flask import Response

from kernel.web import delete_cookie, read_cookie, set_cookie

_COOKIE = "klucznik_link"
_LIFETIME = timedelta(minutes=15)


def keep(response: Response, token: str, *, lifetime: timedelta = _LIFETIME) -> None:
    """Take the token over from the address."""
    set_cookie(response, _COOKIE, token[:200], lifetime=lifetime)


def kept() -> str:
    """The token that waits, or an empty text, which opens nothing."""
    return read_cookie(_COOKIE) or ""


def drop(response: Response) -> None:
    """It was used."""
    delete_cookie(response, _COOKIE)
