"""A short way past Flask for the few requests that come all day.

It takes requests of exactly the expected form and leaves everything else, as it came, to Flask,
which has a view for the same address. Answers, headers, counters and log lines are the same on both
ways, made by the same functions.

Programs send no query and no cookie. Where browsers are expected as well, an endpoint says so.
"""

import re
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from http import HTTPStatus
from io import BytesIO
from types import MappingProxyType
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
_COOKIE = r"[\w.-]+=[!#-:<-~]*"
_COOKIES = re.compile(f"{_COOKIE}(?:; {_COOKIE})*", re.ASCII)
_FAILURE = "klucznik.fast_path.failure"
_STATUS_LINES = {int(status): f"{int(status)} {status.phrase}" for status in HTTPStatus}


class Asked(NamedTuple):
    """What a short answer may look at."""

    form: Pairs | None
    """The fields of a POST's body, undone; None for a GET."""
    authorization: str | None
    query: Pairs = ()
    cookies: Mapping[str, str] = MappingProxyType({})


class Answer(NamedTuple):
    """A whole answer, but for its length and the request's id."""

    status: int
    headers: Pairs
    body: bytes


Handler = Callable[[Asked], Answer | None]
"""Answers, or returns None, having changed nothing, for what is Flask's to answer."""


class FastPath:
    """The program as the server calls it."""

    def __init__(
        self,
        app: Flask,
        handlers: Mapping[tuple[str, str], Handler],
        *,
        also_for_browsers: Container[tuple[str, str]] = (),
    ) -> None:
        self._app = app
        self._handlers = {
            address: (handler, address in also_for_browsers)
            for address, handler in handlers.items()
        }
        self._name = app.name
        self._hosts: frozenset[str] = app.config["KNOWN_HOSTS"]
        self._trusted_proxies: int = app.config["TRUSTED_PROXIES"]

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        found = self._handlers.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if found is None:
            return self._app(environ, start_response)
        handler, also_for_browsers = found
        started = time.perf_counter()
        asked = self._read(environ, also_for_browsers=also_for_browsers)
        if asked is None:
            return self._app(environ, start_response)
        request_id = request_id_of(environ, self._trusted_proxies)
        answer = self._answer(handler, environ, asked, request_id)
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

    def _read(self, environ: "WSGIEnvironment", *, also_for_browsers: bool) -> Asked | None:
        """The request, if nothing about it is unusual; else None, with the body still to be read."""
        query, cookies = environ.get("QUERY_STRING", ""), environ.get("HTTP_COOKIE", "")
        if not self._is_plain(environ) or ((query or cookies) and not also_for_browsers):
            return None
        form, asked, brought = None, parse_pairs(query), parse_cookies(cookies)
        if asked is None or brought is None:
            return None
        if environ["REQUEST_METHOD"] == "POST":
            form = read_form(environ)
            if form is None:
                return None
        return Asked(form, environ.get("HTTP_AUTHORIZATION"), asked, brought)

    def _is_plain(self, environ: "WSGIEnvironment") -> bool:
        """Whether the request came to us, and the address is spelled as it is meant."""
        path: str = environ["PATH_INFO"]
        spelled: str = environ.get("RAW_URI", path)
        return (
            environ.get("HTTP_HOST", "").lower() in self._hosts
            and not environ.get("SCRIPT_NAME")
            and "HTTP_TRANSFER_ENCODING" not in environ
            and spelled.partition("?")[0] == path
        )

    def _answer(
        self, handler: Handler, environ: "WSGIEnvironment", asked: Asked, request_id: str
    ) -> Answer | None:
        bind_request(request_id=request_id)
        try:
            with program.working_for(self._app):
                return handler(asked)
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
    return parse_pairs(body.decode("latin-1")) if len(body) == int(length) else None


def parse_pairs(text: str) -> Pairs | None:
    """The pairs of a form or a query as `urllib.parse.parse_qsl` reads them, all in printable ASCII.

    None for anything else.

    >>> parse_pairs("grant_type=client_credentials&scope=a+b&x=%C5%BC") is None
    True
    >>> parse_pairs("a=1&&b&c=%26")
    [('a', '1'), ('b', ''), ('c', '&')]
    """
    if not text.isascii():
        return None
    pairs = []
    for part in text.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        if "%" in part or "+" in part:
            name, value = unquote_plus(name), unquote_plus(value)
        if not (name.isascii() and value.isascii() and (name + value).isprintable()):
            return None
        pairs.append((name, value))
    return pairs


def parse_cookies(header: str) -> Mapping[str, str] | None:
    """The cookies of a header as browsers write it; None where anything is quoted or odd.

    >>> parse_cookies("a=1; b=2; a=3")
    {'a': '1', 'b': '2'}
    >>> parse_cookies('a="1"') is None
    True
    """
    if not header:
        return {}
    if not _COOKIES.fullmatch(header):
        return None
    pairs = [part.partition("=") for part in header.split("; ")]
    # Of two with one name the first counts.
    return {name: value for name, _, value in reversed(pairs)}


def fail_as_before() -> None:
    """Let Flask answer a failure that happened before it was asked."""
    failure: Any = request.environ.get(_FAILURE)
    if failure is not None:
        raise failure
