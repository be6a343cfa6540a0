"""One request in front of Flask and by Flask alone: what both answer, and what they leave behind."""

import base64
import json
import re
from typing import Any

from flask import Flask
from sqlalchemy import MetaData, select
from werkzeug.test import Client, TestResponse

from idp.fast_path import FastPath
from tenants.database import db
from tests import programs
from tests.idp.provider import a_browser, claims_of, header_of

FORM = "application/x-www-form-urlencoded"
# Drawn anew for every answer, or counted from the moment of it.
_VARIES = {"access_token", "id_token", "refresh_token"}
_DRAWN_ON_PAGE = re.compile(
    rb'name="(?:csrf_token|code)" value="[^"]*"|(?<=[?&]flow=)[0-9a-f-]{36}'
)
_COOKIE_VALUE = re.compile(r"(?<==)[^;]+")
_DRAWN_IN_ADDRESS = re.compile(r"(?<=[?&]code=)[\w-]{43}|(?<=[?&]flow=)[0-9a-f-]{36}")
_DRAWN_CLAIMS = {"jti", "iat", "exp", "at_hash"}
TOUCHED = (
    *("refresh_tokens", "grants", "ledger_entries", "limits", "revoked_access_tokens"),
    *("application_sessions", "flows"),
)


class Ways:
    """The same program, reached in front of Flask and by Flask alone."""

    def __init__(self, app: Flask, *, keys_seconds: float = 0) -> None:
        self.app = app
        self.passed_by = 0
        """How many of the requests in front of Flask were left to it."""
        self._is_in_front = False
        self._fast, self._flask = FastPath(app, keys_seconds=keys_seconds), app.wsgi_app
        app.wsgi_app = self._behind  # type: ignore[method-assign]
        self.fast = Client(self._in_front, TestResponse, use_cookies=False)
        self.flask = app.test_client(use_cookies=False)

    def _in_front(self, environ: Any, start_response: Any) -> Any:
        self._is_in_front = True
        try:
            return self._fast(environ, start_response)
        finally:
            self._is_in_front = False

    def _behind(self, environ: Any, start_response: Any) -> Any:
        self.passed_by += self._is_in_front
        return self._flask(environ, start_response)

    def takes(self, *args: Any, **request: Any) -> bool:
        """Whether the fast path answers this itself."""
        before = self.passed_by
        self.fast.open(*args, **whole(request))
        return self.passed_by == before


def whole(request: dict[str, Any]) -> dict[str, Any]:
    return {"base_url": programs.ISSUER, **request}


def seen(response: TestResponse) -> tuple[int, Any, list[tuple[str, str]]]:
    """What a client sees, but for what is drawn for each answer."""
    headers = sorted(
        (name, _without_drawn_values(name, value))
        for name, value in response.headers
        if name not in {"X-Request-ID", "Content-Length"}
    )
    body = response.get_data()
    if response.request.environ["REQUEST_METHOD"] != "HEAD":
        assert response.headers["Content-Length"] == str(len(body))
    assert len(response.headers["X-Request-ID"]) >= 8
    return response.status_code, _without_what_is_drawn(body, response), headers


def _without_drawn_values(name: str, value: str) -> str:
    if name == "Set-Cookie":
        return _COOKIE_VALUE.sub("", value, count=1)
    return _DRAWN_IN_ADDRESS.sub("", value) if name == "Location" else value


def _without_what_is_drawn(body: bytes, response: TestResponse) -> Any:
    # Error pages, Flask's on both ways: with the request's id and a form token on them.
    body = _DRAWN_ON_PAGE.sub(b"", body.replace(response.headers["X-Request-ID"].encode(), b"id"))
    if response.mimetype != "application/json" or b"_token" not in body:
        return body
    members = json.loads(body)
    assert body == json.dumps(members, separators=(",", ":")).encode()
    return [(name, _shape(name, value)) for name, value in members.items()]


def _shape(name: str, value: Any) -> Any:
    if name not in _VARIES or not isinstance(value, str):
        return value
    if "." not in value:
        return len(value)
    told = {claim: each for claim, each in claims_of(value).items() if claim not in _DRAWN_CLAIMS}
    return header_of(value), told, sorted(claims_of(value))


def same(ways: Ways, *args: Any, **request: Any) -> TestResponse:
    """Ask both; the answers must be the same. Returns the fast one."""
    fast = ways.fast.open(*args, **whole(request))
    assert seen(fast) == seen(ways.flask.open(*args, **whole(request)))
    return fast


def _rows() -> dict[str, int]:
    metadata: MetaData = db.metadata
    with db.reading() as session:
        return {name: len(session.execute(select(metadata.tables[name])).all()) for name in TOUCHED}


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def leaves(client: Client, act: Any) -> tuple[Any, dict[str, int]]:
    """What an act answers, and how many rows it adds to each of these tables."""
    before = _rows()
    answer = act(client)
    after = _rows()
    return answer, {name: after[name] - before[name] for name in TOUCHED}


def sent(ways: Ways, person_id: Any, query: Any, **more: Any) -> dict[str, Any]:
    """A browser with a session of this person, as an application sends it."""
    browser = a_browser(ways.app, person_id=person_id, **more)
    cookie = browser.client.get_cookie("klucznik_session")
    assert cookie is not None
    return {"query_string": query, "headers": {"Cookie": f"klucznik_session={cookie.value}"}}
