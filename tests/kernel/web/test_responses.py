"""Answers are Flask's own, written out with less work; an address to go to is left as it is."""

from typing import Any

import flask
import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from kernel.web.responses import Response


def written(response: flask.Response, method: str = "GET") -> tuple[bytes, str, list[Any]]:
    body, status, headers = run_wsgi_app(response, EnvironBuilder(method=method).get_environ())
    return b"".join(body), status, sorted(headers)


ANSWERS: list[dict[str, Any]] = [
    {"response": "zażółć"},
    {"response": b"bytes", "status": 404, "content_type": "text/plain"},
    {"status": 303, "headers": {"Location": "/sign-in?flow=7&x=%20"}},
    {"status": 303, "headers": {"Location": "https://app.example/cb?state=ż&x= "}},
    {"status": 201, "headers": {"Content-Location": "/ż"}},
    {"status": 204},
    {"status": 304, "response": "nothing"},
    {"response": ["one", "two"]},
    {"response": [], "headers": [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]},
]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("answer", ANSWERS, ids=str)
def test_an_answer_is_written_as_flask_writes_it(answer: dict[str, Any], method: str):
    assert written(Response(**answer), method) == written(flask.Response(**answer), method)


def test_an_answer_that_comes_in_pieces_is_written_as_flask_writes_it():
    ours, usual = (made(iter(["one", "two"])) for made in (Response, flask.Response))

    assert written(ours) == written(usual)


@pytest.mark.parametrize(
    "address",
    ["https://App.Example/cb?", "com.example.app:/cb;x=1", "http://[::1]:7/cb#f", "//x/%7e[]"],
)
def test_an_address_to_go_to_is_sent_byte_for_byte(address: str):
    _, _, headers = written(Response(status=303, headers={"Location": address}))

    assert ("Location", address) in headers


def test_what_waits_for_the_end_of_an_answer_is_called():
    response, closed = Response("page"), []
    response.call_on_close(lambda: closed.append(True))

    run_wsgi_app(response, EnvironBuilder().get_environ())[0].close()  # type: ignore[attr-defined]

    assert closed == [True]
