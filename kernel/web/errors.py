"""Error pages: a title, the reason in plain words, what to do now, and a request id to quote.

Programs get the same as problem+json (RFC 9457). What only the log may know never gets here.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

from flask import Flask, Response, current_app, make_response, render_template, request
from markupsafe import escape
from werkzeug.exceptions import HTTPException

from kernel.database import passes_by_itself
from kernel.errors import KlucznikError, Overloaded, Refused
from kernel.i18n import lazy_gettext as lazy
from kernel.observability.logs import get_logger
from kernel.web.csrf import ForeignOrigin, PageExpired
from kernel.web.hosts import UnknownHost
from kernel.web.policy import no_referrer
from kernel.web.requests import request_facts
from kernel.web.returns import is_own_path

log = get_logger(__name__)

# Text in the reader's language, put together when the page is rendered.
Text = object


@dataclass(frozen=True)
class Explanation:
    """What a person reads when something is refused."""

    title: Text
    reason: Text
    """One plain sentence: what is the matter."""
    way_out: Text = ""
    """One plain sentence: what to do now."""


_UNFORESEEN = Explanation(
    lazy("Something broke on our side"),
    lazy("This page could not be shown because of a fault in the program."),
    lazy("Nothing was lost. Try again in a moment; if it happens again, tell us the number below."),
)
_BY_STATUS = {
    400: Explanation(
        lazy("This request can't be understood"),
        lazy("The address or the form holds something that does not belong there."),
        lazy("Go back and try again from the page before."),
    ),
    401: Explanation(
        lazy("Sign in first"),
        lazy("This page is for people who are signed in."),
    ),
    403: Explanation(
        lazy("No access"),
        lazy("This page belongs to somebody else, or asks for a permission that is missing."),
        lazy("Who manages the account can give the permission."),
    ),
    404: Explanation(
        lazy("There is no such page"),
        lazy("The address is wrong, or what was here is gone."),
    ),
    405: Explanation(
        lazy("This page can't be opened this way"),
        lazy("The address takes a form, and was opened as a page, or the other way round."),
        lazy("Go back and use the buttons on the page."),
    ),
    413: Explanation(
        lazy("That is too large"),
        lazy("What was sent is larger than this page takes."),
        lazy("Send less at once."),
    ),
    415: Explanation(
        lazy("This kind of content is not taken here"),
        lazy("The page asks for another format."),
    ),
    429: Explanation(
        lazy("Too many tries"),
        lazy("There were too many tries in a short time."),
        lazy("Wait a little, then try again."),
    ),
    503: Explanation(
        lazy("Too much is going on"),
        lazy("The program is busy or just starting, and did not get to this request."),
        lazy("Try again in a few seconds."),
    ),
}
_EXPIRED = Explanation(
    lazy("This page was open too long"),
    lazy("The form belongs to a visit that is over, so nothing was saved."),
    lazy("Open the page again and go on where you stopped."),
)
_FOREIGN_ORIGIN = Explanation(
    lazy("This form came from another site"),
    lazy("For safety we take forms only from our own pages, so nothing was changed."),
    lazy("Open the page here and try again."),
)
_UNKNOWN_HOST = Explanation(
    lazy("This address is not served here"),
    lazy("The request names an address that is not ours."),
)

_AGAIN = lazy("Open the page again")
_START_PAGE = lazy("Go to the start page")

_API_PREFIXES = ("/api/",)


def register_error_handlers(app: Flask) -> None:
    """Answer every error, foreseen or not."""
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(KlucznikError, _answer_our_error)
    app.register_error_handler(Exception, _answer_the_unforeseen)


def error_page(
    status: int,
    *,
    title: Text = None,
    reason: Text = None,
    way_out: Text = None,
    link: str | None = None,
    link_text: Text = None,
    code: str | None = None,
) -> Response:
    """A refusal as a page, or as problem+json for programs; what is not said comes by the status.

    `code` is a stable word in plain ASCII that programs and tests may rely on.
    """
    usual = explanation_for(status)
    return _answer(
        status,
        Explanation(
            title if title is not None else usual.title,
            reason if reason is not None else usual.reason,
            way_out if way_out is not None else ("" if reason is not None else usual.way_out),
        ),
        link=link,
        link_text=link_text,
        code=code,
    )


def explanation_for(status: int) -> Explanation:
    """The usual words for a status."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return _BY_STATUS[400] if status < 500 else _UNFORESEEN


def wants_json() -> bool:
    """Whether a program asks, which reads JSON and not pages."""
    if request.path.startswith(_API_PREFIXES):
        return True
    accepts = request.accept_mimetypes
    best = accepts.best_match(["text/html", "application/json", "application/problem+json"])
    return best not in {None, "text/html"} and accepts[best] > accepts["text/html"]


def _answer_http_error(error: HTTPException) -> Response:
    if error.response is not None:
        return cast("Response", error.response)
    status = error.code or 500
    explanation = explanation_for(status)
    link: str | None = None
    link_text: Text = None
    if isinstance(error, PageExpired):
        explanation, link, link_text = _EXPIRED, _the_page_again(), _AGAIN
    elif isinstance(error, ForeignOrigin):
        explanation = _FOREIGN_ORIGIN
    elif isinstance(error, UnknownHost):
        explanation = _UNKNOWN_HOST
    elif status == 404:
        link, link_text = "/", _START_PAGE
    log.info("request_refused", status=status, error=type(error).__name__)
    response = _answer(
        status,
        explanation,
        link=link,
        link_text=link_text,
        code="page_expired" if isinstance(error, PageExpired) else None,
    )
    for name, value in error.get_headers(request.environ):
        if name in {"Allow", "Retry-After", "WWW-Authenticate", "Location"}:
            response.headers[name] = value
    return response


def _answer_our_error(error: KlucznikError) -> Response:
    status: int = getattr(error, "status", 500)
    reason: str | None = getattr(error, "reason", None)
    if not isinstance(error, Refused) and status == 500:
        return _answer_the_unforeseen(error)
    log.info("request_refused", status=status, error=type(error).__name__, detail=error.detail)
    response = _answer(status, explanation_for(status), code=reason)
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _answer_the_unforeseen(error: Exception) -> Response:
    if passes_by_itself(error):
        log.warning("database_busy", error=type(error).__name__, exc_info=error)
        return _answer_our_error(Overloaded("the database was waited for in vain"))
    if current_app.testing:
        raise error
    log.error("request_failed", error=type(error).__name__, exc_info=error)
    return _answer(500, _UNFORESEEN)


def _answer(
    status: int,
    explanation: Explanation,
    *,
    link: str | None = None,
    link_text: Text = None,
    code: str | None = None,
) -> Response:
    request_id = request_facts().request_id
    if wants_json():
        response: Response = current_app.json.response(  # type: ignore[assignment]
            {
                "type": "about:blank",
                "title": str(explanation.title),
                "status": status,
                "detail": str(explanation.reason),
                "code": code or _usual_code(status),
                "request_id": request_id,
            }
        )
        response.mimetype = "application/problem+json"
        response.status_code = status
        return response
    no_referrer()
    try:
        page = render_template(
            "kernel/error.html",
            status=status,
            explanation=explanation,
            link=link,
            link_text=link_text,
            code=code,
            request_id=request_id,
        )
    except Exception as broken:
        # The page of last resort needs no language, no layout and no database.
        log.error("error_page_failed", error=type(broken).__name__, exc_info=broken)
        page = (
            "<!doctype html><html lang='en'><title>Klucznik</title>"
            f"<h1>Something broke on our side</h1><p>Request: {escape(request_id)}</p></html>"
        )
    return make_response(page, status)


def _usual_code(status: int) -> str:
    """The word for a status that nobody gave a word of its own.

    >>> _usual_code(404), _usual_code(405)
    ('not_found', 'method_not_allowed')
    """
    return HTTPStatus(status).phrase.lower().replace(" ", "_")


def _the_page_again() -> str:
    """Where a GET shows the form that was posted, else the beginning."""
    path = request.full_path.removesuffix("?")
    methods = current_app.url_map.bind("").allowed_methods(request.path)
    return path if "GET" in methods and is_own_path(path) else "/"
