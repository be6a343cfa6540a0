import pytest
from flask import Response

from kernel.web.origin import Origin
from kernel.web.security_headers import (
    ResponsePolicy,
    add_security_headers,
    headers_without_a_page,
)
from tests.kernel.web.a_program import SECURE, a_program

HTTPS = Origin.of(SECURE)


@pytest.fixture(scope="module")
def app():
    return a_program()


def directives(response) -> dict[str, str]:
    policy = response.headers["Content-Security-Policy"]
    return dict(part.strip().partition(" ")[::2] for part in policy.split(";"))


@pytest.mark.security("14.2", "6.10")
@pytest.mark.parametrize(
    ("directive", "sources"),
    [
        ("default-src", "'none'"),
        ("script-src", "'self'"),
        ("style-src", "'self'"),
        ("img-src", "'self' data:"),
        ("font-src", "'self'"),
        ("connect-src", "'self'"),
        ("form-action", "'self'"),
        ("frame-ancestors", "'none'"),
        ("base-uri", "'none'"),
        ("object-src", "'none'"),
        ("report-uri", "/csp-report"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/form", "/nowhere", "/healthz"])
def test_every_response_has_the_strict_policy(app, path, directive, sources):
    assert directives(app.test_client().get(path))[directive] == sources


def test_a_view_widens_its_own_response_and_no_other():
    policy = ResponsePolicy()
    policy.allow("form-action", "https://application.example")

    assert "form-action 'self' https://application.example" in policy.content_security_policy()
    assert "application.example" not in ResponsePolicy().content_security_policy()


@pytest.mark.parametrize("source", ["a b", "a;script-src *", "a\r\nb", "ż"])
def test_a_source_can_not_smuggle_in_another_directive(source):
    with pytest.raises(ValueError, match="one word"):
        ResponsePolicy().allow("form-action", source)


@pytest.mark.security("14.2")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ],
)
def test_every_response_has_the_other_headers(app, name, value):
    assert app.test_client().get("/").headers[name] == value


@pytest.mark.security("14.2")
def test_permissions_that_we_never_use_are_given_away(app):
    assert "camera=()" in app.test_client().get("/").headers["Permissions-Policy"]


@pytest.mark.security("6.10")
@pytest.mark.parametrize(
    ("path", "policy"),
    [("/", "same-origin"), ("/form", "no-referrer"), ("/nowhere", "no-referrer")],
)
def test_sign_in_and_error_pages_tell_nobody_where_one_comes_from(app, path, policy):
    assert app.test_client().get(path).headers["Referrer-Policy"] == policy


@pytest.mark.security("14.2")
def test_https_is_demanded_for_a_year_of_every_host_below():
    response = a_program(SECURE).test_client().get("/")

    assert response.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize("url", ["http://localhost:9000", "https://localhost:9000"])
def test_https_is_never_demanded_of_loopback(url):
    response = a_program(url).test_client().get("/")

    assert "Strict-Transport-Security" not in response.headers


@pytest.mark.security("5.7")
@pytest.mark.parametrize("path", ["/", "/form", "/nowhere", "/healthz", "/facts"])
def test_nothing_that_is_made_for_somebody_is_kept(app, path):
    response = app.test_client().get(path)

    assert response.headers["Cache-Control"] == "no-store"
    assert "Cookie" in response.headers["Vary"]


def test_what_a_view_set_itself_stays():
    response = Response("keys", headers={"Cache-Control": "public, max-age=300"})

    add_security_headers(response, ResponsePolicy(), HTTPS)

    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert "Cookie" not in response.headers.get("Vary", "")


@pytest.mark.parametrize("origin", [HTTPS, Origin.of("http://localhost:9000")])
def test_what_is_ready_for_programs_is_what_every_answer_gets(origin):
    response = Response()
    before = set(response.headers)

    add_security_headers(response, ResponsePolicy(), origin)

    assert set(response.headers) - before == set(headers_without_a_page(origin))


def test_what_a_view_says_of_variants_is_added_to():
    response = Response(headers={"Vary": "Accept-Encoding"})

    add_security_headers(response, ResponsePolicy(), HTTPS)

    assert set(response.vary) == {"Accept-Encoding", "Cookie"}
