"""What the shell asks about the person in front of it: language and time zone."""

from idp.account import profile
from idp.sessions import service as sessions
from kernel import clock


def language() -> str | None:
    """The language that the person chose, or None."""
    me = sessions.current(clock.now())
    return me.locale if me is not None else None


def save_language(chosen: str) -> None:
    """Keep what was chosen at the foot of a page with the person, too."""
    now = clock.now()
    me = sessions.current(now)
    if me is not None:
        profile.save_language(me, chosen, now=now)


def time_zone() -> str | None:
    """The time zone that the person chose, or None."""
    me = sessions.current(clock.now())
    return me.zoneinfo if me is not None else None
