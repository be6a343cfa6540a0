from datetime import timedelta

import pytest
from flask import Response

from kernel.web.cookies import delete_cookie, read_cookie, set_cookie
from tests.kernel.web.a_program import SECURE, a_program


def cookie_from(app, **options) -> str:
    response = Response()
    with app.test_request_context():
        set_cookie(response, "klucznik_session", "value", **options)
    return response.headers["Set-Cookie"]


@pytest.mark.security("5.2")
def test_on_https_a_cookie_is_tied_to_the_host_and_hidden_from_scripts():
    cookie = cookie_from(a_program(SECURE))

    name, *attributes = cookie.split("; ")
    assert name == "__Host-klucznik_session=value"
    assert set(attributes) == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


@pytest.mark.security("5.2")
def test_on_plain_loopback_it_is_the_same_without_prefix_and_secure():
    cookie = cookie_from(a_program())

    name, *attributes = cookie.split("; ")
    assert name == "klucznik_session=value"
    assert set(attributes) == {"HttpOnly", "Path=/", "SameSite=Lax"}


def test_a_lifetime_outlives_the_browser():
    assert "Max-Age=86400" in cookie_from(a_program(), lifetime=timedelta(days=1))


def test_a_cookie_is_read_by_its_plain_name_and_deleted():
    app = a_program(SECURE)
    headers = {"Cookie": "__Host-klucznik_session=value"}
    response = Response()
    with app.test_request_context(headers=headers):
        assert read_cookie("klucznik_session") == "value"
        delete_cookie(response, "klucznik_session")

    assert "__Host-klucznik_session=; Expires=Thu, 01 Jan 1970" in response.headers["Set-Cookie"]


def test_a_plain_cookie_does_not_pass_for_a_host_cookie():
    with a_program(SECURE).test_request_context(headers={"Cookie": "klucznik_session=planted"}):
        assert read_cookie("klucznik_session") is None


@pytest.mark.security("5.2", "2.6")
def test_the_pre_session_cookie_follows_the_same_rules():
    client = a_program(SECURE).test_client()

    cookie = client.get("/form").headers["Set-Cookie"]

    assert cookie.startswith("__Host-klucznik_kernel_browser=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
