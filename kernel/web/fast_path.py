"""A short way past Flask for the few requests that programs send all day.

It takes requests of exactly the expected form and leaves everything else, as it came, to Flask,
which has a view for the same address. Answers, headers, counters and log lines are the same on both
ways, made by the same functions.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus

from flask import Flask, request

from kernel import program
from kernel.observability import request_log
from kernel.observability.logs import bind_request, forget_request
from kernel.observability.metrics import count_request
from kernel.web.requests import request_id_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Pairs = Sequence[tuple[str, str]]

FORM_TYPES = frozenset(
    f"application/x-www-form-urlencoded{rest}"
    for rest in ("", ";charset=UTF-8", "; charset=UTF-8", ";charset=utf-8", "; charset=utf-8")
)
_LONGEST_FORM = 16_384
_LENGTH = re.compile(r"[0-9]{1,5}")
_FAILURE = "klucznik.fast_path.failure"
_STATUS_LINES = {int(status): f"{int(status)} {status.phrase}" for status in HTTPStatus}


class Asked(NamedTuple):
    """What a short answer may look at."""

    form: Pairs | None
    """The fields of a POST's body, undone; None for a GET."""
    authorization: str | None


class Answer(NamedTuple):
    """A whole answer, but for its length and the request's id."""

    status: int
    headers: Pairs
    body: bytes


Handler = Callable[[Asked], Answer | None]
"""Answers, or returns None, having changed nothing, for what is Flask's to answer."""


class FastPath:
    """The program as the server calls it."""

    def __init__(self, app: Flask, handlers: Mapping[tuple[str, str], Handler]) -> None:
        self._app = app
        self._handlers = dict(handlers)
        self._name = app.name
        self._hosts: frozenset[str] = app.config["KNOWN_HOSTS"]
        self._trusted_proxies: int = app.config["TRUSTED_PROXIES"]

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        handler = self._handlers.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if handler is None or not self._is_plain(environ):
            return self._app(environ, start_response)
        started = time.perf_counter()
        form = None
        if environ["REQUEST_METHOD"] == "POST":
            form = read_form(environ)
            if form is None:
                return self._app(environ, start_response)
        request_id = request_id_of(environ, self._trusted_proxies)
        answer = self._answer(handler, environ, form, request_id)
        if answer is None:
            return self._app(environ, start_response)
        self._report(environ, answer, request_id, time.perf_counter() - started)
        start_response(
            _STATUS_LINES[answer.status],
            [
                *answer.headers,
                ("Content-Length", str(len(answer.body))),
                ("X-Request-ID", request_id),
            ],
        )
        return [answer.body]

    def _is_plain(self, environ: "WSGIEnvironment") -> bool:
        """Whether nothing about the request is unusual. Cookies are a browser's: Flask's."""
        return (
            environ.get("HTTP_HOST", "").lower() in self._hosts
            and not environ.get("QUERY_STRING")
            and not environ.get("SCRIPT_NAME")
            and "HTTP_COOKIE" not in environ
            and "HTTP_TRANSFER_ENCODING" not in environ
            and environ.get("RAW_URI", environ["PATH_INFO"]) == environ["PATH_INFO"]
        )

    def _answer(
        self, handler: Handler, environ: "WSGIEnvironment", form: Pairs | None, request_id: str
    ) -> Answer | None:
        bind_request(request_id=request_id)
        try:
            with program.working_for(self._app):
                return handler(Asked(form, environ.get("HTTP_AUTHORIZATION")))
        except Exception as failure:
            # Flask has the page for it. What was done so far is not done again.
            environ[_FAILURE] = failure
            return None
        finally:
            forget_request()

    def _report(
        self, environ: "WSGIEnvironment", answer: Answer, request_id: str, seconds: float
    ) -> None:
        method, route = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        count_request(
            program=self._name, route=route, method=method, status=answer.status, seconds=seconds
        )
        request_log.write(
            program=self._name,
            request_id=request_id,
            method=method,
            route=route,
            status=answer.status,
            seconds=seconds,
        )


def read_form(environ: "WSGIEnvironment") -> Pairs | None:
    """The fields of a short form in plain ASCII, or None, with the body still to be read."""
    length = environ.get("CONTENT_LENGTH", "")
    if environ.get("CONTENT_TYPE") not in FORM_TYPES or not _LENGTH.fullmatch(length):
        return None
    if int(length) > _LONGEST_FORM:
        return None
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    return parse_form(body) if len(body) == int(length) else None


def parse_form(body: bytes) -> Pairs | None:
    """The fields as `urllib.parse.parse_qsl` reads them, or None for what is not printable ASCII.

    >>> parse_form(b"grant_type=client_credentials&scope=a+b&x=%C5%BC") is None
    True
    >>> parse_form(b"a=1&&b&c=%26")
    [('a', '1'), ('b', ''), ('c', '&')]
    """
    if not body.isascii():
        return None
    pairs = []
    for part in body.decode("ascii").split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        if "%" in part or "+" in part:
            name, value = unquote_plus(name), unquote_plus(value)
        if not (name.isascii() and value.isascii() and (name + value).isprintable()):
            return None
        pairs.append((name, value))
    return pairs


def fail_as_before() -> None:
    """Let Flask answer a failure that happened before it was asked."""
    failure: Any = request.environ.get(_FAILURE)
    if failure is not None:
        raise failure
