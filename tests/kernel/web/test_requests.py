import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.web.requests import client_address
from tests.kernel.web.a_program import a_program


@pytest.fixture(scope="module")
def app():
    return a_program()


@pytest.mark.security("2.3")
@pytest.mark.parametrize(
    ("peer", "header", "proxies", "address"),
    [
        ("192.0.2.1", "", 0, "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", 0, "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.1", "198.51.100.66, 203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.1", "198.51.100.66, 203.0.113.9, 10.0.0.2", 2, "203.0.113.9"),
        ("10.0.0.1", "::ffff:203.0.113.9", 1, "203.0.113.9"),
        ("10.0.0.1", "2001:db8::1", 1, "2001:db8::1"),
    ],
)
def test_the_address_is_what_our_own_outermost_proxy_saw(peer, header, proxies, address):
    assert client_address(peer, header, trusted_proxies=proxies) == address


@pytest.mark.security("2.3")
@pytest.mark.parametrize("header", ["", "unknown", "203.0.113.9:1234:", "<script>", ","])
def test_an_address_that_can_not_be_read_is_unknown_and_not_the_proxy(header):
    assert client_address("10.0.0.1", header, trusted_proxies=1) is None


def test_fewer_addresses_than_proxies_is_unknown():
    assert client_address("10.0.0.1", "203.0.113.9", trusted_proxies=2) is None


def test_the_facts_name_who_asks(app):
    facts = app.test_client().get("/facts", headers={"User-Agent": "Browser\t1"}).json

    assert facts["address"] == "127.0.0.1"
    assert facts["user_agent"] == "Browser 1"
    assert len(facts["id"]) >= 16


def test_a_strangers_request_id_is_not_taken_over(app):
    answer = app.test_client().get("/facts", headers={"X-Request-ID": "chosen-by-client"})

    assert answer.headers["X-Request-ID"] != "chosen-by-client"


def test_a_trusted_proxys_request_id_is():
    behind = a_program(settings_={"trusted_proxies": 1})

    answer = behind.test_client().get("/facts", headers={"X-Request-ID": "proxy-0123456789"})

    assert answer.headers["X-Request-ID"] == "proxy-0123456789"


@pytest.mark.security("15.1")
@pytest.mark.parametrize(
    "path", ["/facts?a=%00", "/facts?%00=a", "/%00", "/facts%2Fmore", "/facts%5cmore"]
)
def test_nul_and_hidden_slashes_are_refused_before_any_view(app, path):
    assert app.test_client().get(path).status_code in {400, 404}


def test_nul_in_a_form_is_refused(app):
    answer = app.test_client().post("/machine", data={"a": "\x00"})

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "body",
    [b'"\\u0000"', b'{"a": ["\\ud800"]}', b"[" * 100_000, b'{"\\u0000": 1}', b"\xff", b"{"],
)
def test_json_that_can_not_be_stored_is_refused(app, body):
    answer = app.test_client().post("/strict-json", data=body, content_type="application/json")

    assert answer.status_code == 400


def test_json_that_can_be_stored_arrives(app):
    sent = {"a": ["ż", 1, None, {"b": True}]}

    answer = app.test_client().post("/strict-json", json=sent)

    assert answer.json == {"sent": sent}


def test_a_body_over_a_megabyte_is_refused(app):
    answer = app.test_client().post("/machine", data={"a": "b" * 1_100_000})

    assert answer.status_code == 413


@pytest.mark.security("15.1", "20.6")
@given(
    query=st.binary(max_size=60),
    body=st.binary(max_size=200),
    kind=st.sampled_from(
        [
            "application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=utf-16",
            "multipart/form-data; boundary=b",
            "multipart/form-data",
            "application/json",
            "text/\xff",
        ]
    ),
    path=st.sampled_from(["/", "/form", "/machine", "/strict-json", "/preferences", "/csp-report"]),
    tail=st.text(alphabet=st.characters(max_codepoint=255), max_size=10),
    cookie=st.text(
        alphabet=st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40
    ),
    language=st.text(
        alphabet=st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=20
    ),
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "TRACE", "DELETE", "WHAT"]),
)
def test_no_bytes_anywhere_make_a_fault_of_ours(
    app, query, body, kind, path, tail, cookie, language, method
):
    status = []

    def start(line, headers, exc_info=None):
        status.append(int(line[:3]))

    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path + tail,
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "9000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost:9000",
        "HTTP_COOKIE": f"klucznik_kernel_browser={cookie}; klucznik_language={cookie}; {cookie}",
        "HTTP_ACCEPT_LANGUAGE": language,
        "HTTP_ACCEPT": language,
        "HTTP_ORIGIN": language,
        "HTTP_X_REQUEST_ID": language,
        "HTTP_USER_AGENT": cookie,
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    answer = app(environ, start)
    b"".join(answer)
    getattr(answer, "close", lambda: None)()

    assert status[0] < 500


@given(st.recursive(st.text() | st.none() | st.integers(), st.lists, max_leaves=8))
def test_any_json_is_taken_or_refused(app, value):
    body = json.dumps(value)

    answer = app.test_client().post("/strict-json", data=body, content_type="application/json")

    assert answer.status_code in {200, 400}
