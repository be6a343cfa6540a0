"""What pages ask about the person in front of them: language and time zone."""

from flask import has_request_context

from idp.account import profile
from idp.sessions import service as sessions
from idp.sessions.service import SignedIn
from kernel import clock


def language() -> str | None:
    """The language that the person chose, or None."""
    me = _in_front()
    return me.locale if me is not None else None


def save_language(chosen: str) -> None:
    """Keep what was chosen at the foot of a page with the person, too."""
    me = _in_front()
    if me is not None:
        profile.save_language(me, chosen, now=clock.now())


def time_zone() -> str | None:
    """The time zone that the person chose, or None."""
    me = _in_front()
    return me.zoneinfo if me is not None else None


def _in_front() -> SignedIn | None:
    """Who is signed in; a worker, which writes mails, has nobody in front of it."""
    return sessions.current(clock.now()) if has_request_context() else None
