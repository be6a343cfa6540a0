import pytest
from flask import session

from kernel.web.browser import browser_id, forget_browser, known_browser_id
from tests.kernel.web.a_program import a_program


@pytest.mark.security("2.6")
def test_a_browser_keeps_its_id_and_has_one_of_its_own():
    app = a_program()
    one, other = app.test_client(), app.test_client()

    first = one.get("/browser").text

    assert one.get("/browser").text == first
    assert other.get("/browser").text != first
    assert len(first) >= 40


def test_a_cookie_that_we_did_not_sign_is_nobodys():
    app = a_program()
    client = app.test_client()
    client.set_cookie("klucznik_kernel_browser", "eyJicm93c2VyIjoibWluZSJ9.a.b")

    assert client.get("/browser").text != "mine"


def test_a_browser_gets_its_cookie_once_with_what_its_forms_need():
    client = a_program().test_client()

    first, form, again = client.get("/browser"), client.get("/form"), client.get("/browser")

    assert "Set-Cookie" in first.headers
    assert "Set-Cookie" not in form.headers
    assert again.text == first.text


def test_looking_makes_no_id_and_what_is_no_text_is_none():
    with a_program().test_request_context():
        assert known_browser_id() is None
        session["browser"] = 7
        assert known_browser_id() is None


@pytest.mark.security("5.3")
def test_who_uses_the_browser_next_gets_another_id():
    with a_program().test_request_context():
        first = browser_id()
        forget_browser()

        assert known_browser_id() is None
        assert browser_id() != first
