"""Nobody else's page may act for our reader: a form token, and a look at where the post comes from."""

from flask import Flask, abort, current_app, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import BadRequest

from kernel.web.access import is_csrf_exempt
from kernel.web.cookies import origin_of

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
        WTF_CSRF_CHECK_DEFAULT=False,
        # It wants a Referer, which our own sign-in pages tell the browser not to send.
        WTF_CSRF_SSL_STRICT=False,
    )
    CSRFProtect(app)


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
    protection: CSRFProtect = current_app.extensions["csrf"]
    try:
        protection.protect()
    except CSRFError as unproven:
        raise PageExpired from unproven


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


def require_json_body() -> None:
    """For JSON views that use cookies: refuse what a plain form of another site could send."""
    if not request.is_json:
        abort(415)
