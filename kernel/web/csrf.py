"""Nobody else's page may act for our reader: a form token, and a look at where the post comes from.

A token is the secret of the browser's pre-session, signed, as Flask-WTF writes it.
"""

from flask import Flask, current_app, g, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.exceptions import BadRequest

from kernel.crypto import constant_time_equal
from kernel.web.access import is_csrf_exempt
from kernel.web.browser import form_secret, known_form_secret
from kernel.web.cookies import origin_of
from kernel.web.signing import SignedValues

_FIELD = "csrf_token"
_EXTENSION = "klucznik.form_tokens"
_CHANGES_NOTHING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class PageExpired(BadRequest):
    """The form belongs to a browser session that is over; the page can be opened again."""

    description = "This page has expired."


class ForeignOrigin(BadRequest):
    """The post was sent by another site's page."""

    code = 403
    description = "This request was sent by another site."


def set_up_csrf(app: Flask, secrets: list[str]) -> None:
    """Make form tokens work with rotated secrets (newest first) and for as long as the cookie."""
    app.config.update(
        # itsdangerous signs with the last of a list and accepts them all.
        WTF_CSRF_SECRET_KEY=list(reversed(secrets)),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_ENABLED=True,
    )
    app.extensions[_EXTENSION] = SignedValues(
        URLSafeTimedSerializer(app.config["WTF_CSRF_SECRET_KEY"], salt="wtf-csrf-token")
    )
    app.jinja_env.globals.update(csrf_token=form_token)


def form_token() -> str:
    """The token for the forms of this answer."""
    known: str | None = g.get(_FIELD)
    if known is None:
        known = g.csrf_token = _tokens().sign(form_secret())
    return known


def refuse_forged_posts() -> None:
    """Check every request that changes something, except of views that don't look at cookies."""
    if request.method in _CHANGES_NOTHING or request.endpoint is None:
        return
    if is_csrf_exempt(current_app.view_functions[request.endpoint]):
        return
    if not comes_from_our_own_page(
        site=request.headers.get("Sec-Fetch-Site"),
        origin=request.headers.get("Origin"),
        own=str(origin_of(current_app)),
    ):
        raise ForeignOrigin
    if not current_app.config["WTF_CSRF_ENABLED"]:
        return
    if not _is_of_this_browser(request.form.get(_FIELD)):
        raise PageExpired
    # For forms of Flask-WTF, which would look again.
    g.csrf_valid = True


def _is_of_this_browser(token: str | None) -> bool:
    secret = known_form_secret()
    if not token or secret is None:
        return False
    try:
        signed = _tokens().read(token)
    except BadData:
        return False
    return isinstance(signed, str) and constant_time_equal(signed, secret)


def _tokens() -> SignedValues:
    tokens: SignedValues = current_app.extensions[_EXTENSION]
    return tokens


def comes_from_our_own_page(*, site: str | None, origin: str | None, own: str) -> bool:
    """Whether the browser says that our own page, or the reader's own hand, sent this.

    A page with `Referrer-Policy: no-referrer` posts with `Origin: null`, and our sign-in pages are
    such, so «null» is decided by `Sec-Fetch-Site`. A browser too old to send that is left to the
    form token.

    >>> comes_from_our_own_page(site="same-origin", origin="null", own="https://id.example")
    True
    >>> comes_from_our_own_page(site="cross-site", origin="null", own="https://id.example")
    False
    """
    if site is not None and site not in {"same-origin", "none"}:
        return False
    return origin is None or origin in {own, "null"}
