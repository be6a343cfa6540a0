"""Whatever arrives at any endpoint of any program, nothing breaks: no answer is a 5xx.

The endpoints are read from the programs themselves, so a new one is tried without being named.
"""

from collections.abc import Iterator
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.routing import Rule
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests import programs
from tests.conftest import MakeDatabase
from tests.relying_party.strict_provider import StrictProvider

pytestmark = [pytest.mark.security("20.6", "15.1", "6.8")]

# Names that our endpoints know, so that the bytes get past the first check.
PARAMETERS = [
    "acr_values", "claims", "client_assertion", "client_assertion_type", "client_id",
    "client_secret", "code", "code_challenge", "code_challenge_method", "code_verifier",
    "csrf_token", "current_password", "display", "email", "error", "flow", "grant_type",
    "id_token_hint", "iss", "language", "locale", "login_hint", "logout_hint", "logout_token",
    "max_age", "new_password", "next", "nonce", "password", "post_logout_redirect_uri", "prompt",
    "redirect_uri", "refresh_token", "remember", "request", "request_uri", "resource",
    "response_mode", "response_type", "scope", "state", "theme", "token", "token_type_hint",
    "ui_locales",
]  # fmt: skip
LIKELY = [
    b"", b"\x00", b"0", b"-1", b"\xff\xfe", b"\xed\xa0\x80", b"%", b"%00", b"\r\nSet-Cookie: a=b",
    b"a" * 5000, b"'\"><script>", b"code", b"authorization_code", b"refresh_token", b"portal",
    b"client_credentials", b"none", b"login", b"S256", b"openid", b"http://localhost:9001/callback",
    b"eyJhbGciOiJub25lIn0.e30.", b"{}", b"[]", b"99999999999999999999999999", b"\xc5\xbc@\xc5\xbc",
    b"a@example.com,b@example.com", b"00000000-0000-0000-0000-000000000000",
    b"urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
]  # fmt: skip
HEADERS = [
    "Accept", "Accept-Language", "Authorization", "Content-Type", "Cookie", "DPoP", "Forwarded",
    "Idempotency-Key", "If-Match", "If-None-Match", "Origin", "Range", "Referer", "Sec-Fetch-Site",
    "User-Agent", "X-Forwarded-For", "X-Forwarded-Host", "X-HTTP-Method-Override", "X-Request-ID",
]  # fmt: skip

value = st.one_of(st.sampled_from(LIKELY), st.binary(max_size=60))
pairs = st.lists(st.tuples(st.sampled_from(PARAMETERS), value), max_size=6)
header_value = st.one_of(
    st.sampled_from(
        [
            "Basic \xff\xfe", "Basic Og==", "Basic 4pyT", "Basic %", "Bearer ", "Bearer \xe9.a.b",
            "Bearer eyJhbGciOiJub25lIn0.e30.", "DPoP x", "application/json", "multipart/form-data",
            "multipart/form-data; boundary=" + "x" * 100, "text/html;q=x", "bytes=9-1", "null",
            "klucznik_session=\xff", "klucznik_identity_browser=eyJ9.x.y", "pl;q=nan,*",
        ]
    ),
    st.text(alphabet=st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60),
)  # fmt: skip
headers = st.lists(st.tuples(st.sampled_from(HEADERS), header_value), max_size=4)


@pytest.fixture(scope="module", params=["identity", "portal", "crm"])
def program(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Iterator[Flask]:
    """Each program, once for all examples: what one example leaves behind the next one meets."""
    with StrictProvider().serving() as provider:
        settings = {} if request.param == "identity" else {"issuer": provider.issuer}
        yield from _started(request.param, make_database, settings)


def _started(name: str, make_database: MakeDatabase, settings: dict[str, str]) -> Iterator[Flask]:
    for app in getattr(programs, name)(make_database, **settings):
        # As though every form token had been right: what lies behind that check is tried too.
        app.config["WTF_CSRF_ENABLED"] = False
        # A fault shows as the 5xx that a visitor would get.
        app.config["TESTING"] = False
        yield app


def _encoded(sent: list[tuple[str, bytes]]) -> str:
    return "&".join(f"{name}={quote_from_bytes(value)}" for name, value in sent)


def _path(rule: Rule, filling: bytes) -> str:
    parts = [
        quote_from_bytes(filling or b"x") if is_filled else part for is_filled, part in rule._trace
    ]
    return "".join(parts).removeprefix("|") or "/"


def _send(
    client: FlaskClient,
    *,
    method: str,
    path: str,
    query: str,
    body: bytes,
    sent_headers: list[tuple[str, str]],
) -> int:
    environ = EnvironBuilder(method=method, query_string=query, data=body).get_environ()
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    environ["RAW_URI"] = f"{path}?{query}"
    environ["HTTP_HOST"] = client.application.extensions["klucznik.origin"].netloc
    if body:
        environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
    for name, text in sent_headers:
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = text
    content, status, _ = run_wsgi_app(client.application, environ, buffered=True)
    b"".join(content)
    return int(status.split()[0])


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_no_bytes_anywhere_give_a_5xx(program: Flask, data: st.DataObject) -> None:
    rules = sorted(program.url_map.iter_rules(), key=lambda rule: (rule.rule, str(rule.methods)))
    rule = data.draw(st.sampled_from(rules), label="route")
    method = data.draw(st.sampled_from([*sorted(rule.methods or ()), "TRACE", "PUT"]))
    in_body = data.draw(st.booleans(), label="parameters in the body")
    parameters = _encoded(data.draw(pairs, label="parameters"))
    raw = data.draw(st.one_of(st.just(b""), st.binary(max_size=200)), label="raw body")

    status = _send(
        program.test_client(),
        method=method,
        path=_path(rule, data.draw(value, label="path")),
        query="" if in_body else parameters,
        body=parameters.encode() if in_body else raw,
        sent_headers=data.draw(headers, label="headers"),
    )

    assert status < 500


def test_every_endpoint_takes_every_likely_value_of_every_parameter(program: Flask) -> None:
    """Not by chance: each route, in the query and in a form, with each awkward value at once."""
    broken: list[tuple[str, str, bytes, int]] = []
    for rule in program.url_map.iter_rules():
        for awkward in LIKELY:
            query = _encoded([(name, awkward) for name in PARAMETERS])
            for method, in_query, in_form in (("GET", query, b""), ("POST", "", query.encode())):
                status = _send(
                    program.test_client(),
                    method=method,
                    path=_path(rule, awkward),
                    query=in_query,
                    body=in_form,
                    sent_headers=[],
                )
                if status >= 500:
                    broken.append((rule.rule, method, awkward, status))

    assert broken == []
