"""Who is signed in, for views and templates of the request being answered."""

from functools import cache
from zoneinfo import available_timezones

from flask import request

from kernel.web import read_cookie
from relying_party.sessions.service import SignedIn

_SIGNED_IN = "klucznik.signed_in"


def session_cookie(program: str) -> str:
    """The name of a program's session cookie; on https it gets the `__Host-` prefix."""
    return f"klucznik_{program}_session"


def session_secret(program: str) -> str | None:
    """The secret that the browser brought along, or None."""
    return read_cookie(session_cookie(program))


def signed_in() -> SignedIn:
    """The person who asks; for views that require a session."""
    person = signed_in_or_none()
    if person is None:
        raise LookupError("this view does not require a session")
    return person


def signed_in_or_none() -> SignedIn | None:
    """The person who asks, where the view requires a session; else None."""
    person: SignedIn | None = request.environ.get(_SIGNED_IN)
    return person


def remember(person: SignedIn) -> None:
    """Let the rest of this request know who asks."""
    # Not in `g`: an application context may outlive the request.
    request.environ[_SIGNED_IN] = person


def person_language() -> str | None:
    """The language that the signed-in person chose in the profile."""
    person = signed_in_or_none()
    return person.locale if person is not None else None


def person_time_zone() -> str | None:
    """The time zone that the signed-in person chose in the profile, where we know it."""
    person = signed_in_or_none()
    if person is None or person.zoneinfo not in _time_zones():
        return None
    return person.zoneinfo


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())
