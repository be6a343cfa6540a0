"""The pre-session: a browser is told apart from others before anybody signs in.

It lives in Flask's signed cookie, holds a random id and the secret of the form tokens, and nothing
that is worth stealing by itself.
"""

from flask import session

from kernel.crypto import new_token

_KEY = "browser"


def browser_id() -> str:
    """The random id of this browser, made on first use. Store its hash, never the id."""
    known = session.get(_KEY)
    if isinstance(known, str):
        return known
    session[_KEY] = new_token()
    return str(session[_KEY])


def known_browser_id() -> str | None:
    """The id that this browser brought along, or None; makes none."""
    known = session.get(_KEY)
    return known if isinstance(known, str) else None


def forget_browser() -> None:
    """Start a new pre-session: whoever uses the browser next is nobody that we know."""
    session.clear()
