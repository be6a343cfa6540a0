"""The pre-session: a browser is told apart from others before anybody signs in.

It lives in Flask's signed cookie, holds a random id and the secret of the form tokens, and nothing
that is worth stealing by itself.
"""

import secrets

from flask import session

from kernel.crypto import new_token

_KEY = "browser"
# Where Flask-WTF keeps it.
_FORMS = "csrf_token"


def browser_id() -> str:
    """The random id of this browser, made on first use. Store its hash, never the id."""
    known = session.get(_KEY)
    if isinstance(known, str):
        return known
    session[_KEY] = new_token()
    # Most often a page with a form comes next; so the cookie is given once.
    form_secret()
    return str(session[_KEY])


def known_browser_id() -> str | None:
    """The id that this browser brought along, or None; makes none."""
    known = session.get(_KEY)
    return known if isinstance(known, str) else None


def form_secret() -> str:
    """What the form tokens of this browser are bound to, made on first use."""
    known = known_form_secret()
    if known is None:
        known = session[_FORMS] = secrets.token_hex(20)
    return known


def known_form_secret() -> str | None:
    """The same if the browser brought it along, else None."""
    known = session.get(_FORMS)
    return known if isinstance(known, str) else None


def forget_browser() -> None:
    """Start a new pre-session: whoever uses the browser next is nobody that we know."""
    session.clear()
