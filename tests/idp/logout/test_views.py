"""Signing out at an application's request, as a browser meets it."""

import re
from html import unescape
from urllib.parse import urlencode

import pytest
from flask import Flask

from tests.idp.provider import (
    AFTER_LOGOUT,
    App,
    Browser,
    a_browser,
    a_person,
    an_app,
    answer_of,
    trade_code,
)


def _entered(identity_app: Flask, app: App) -> tuple[Browser, str]:
    """A browser that entered the application, and the ID token that came of it."""
    browser = a_browser(identity_app, person_id=a_person())
    code = answer_of(browser.ask(app))["code"]
    return browser, trade_code(browser.client, app, code).get_json()["id_token"]


def _ask(browser: Browser, **query: str):
    return browser.client.get(f"/end-session?{urlencode(query)}")


def _is_signed_in(browser: Browser, app: App) -> bool:
    return "code" in answer_of(browser.ask(app, prompt="none"))


def _forwarded_to(page: str) -> str | None:
    found = re.search(r'href="(https://app\.example[^"]*)"', page)
    return unescape(found[1]) if found else None


@pytest.mark.product("OP-1")
@pytest.mark.security("9.1", "5.7")
@pytest.mark.parametrize("state", [None, "k%&=?#/-._~", "s" * 50])
def test_the_applications_proof_signs_out_at_once_and_leads_back(identity_app: Flask, state):
    app = an_app(first_party=True)
    browser, id_token = _entered(identity_app, app)
    asked = {"id_token_hint": id_token, "post_logout_redirect_uri": AFTER_LOGOUT}
    asked |= {"state": state} if state else {}

    response = _ask(browser, **asked)

    expected = f"{AFTER_LOGOUT}?{urlencode({'state': state})}" if state else AFTER_LOGOUT
    assert response.status_code == 200
    assert _forwarded_to(response.get_data(as_text=True)) == expected
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert response.headers["Cache-Control"] == "no-store"
    assert not _is_signed_in(browser, app)


@pytest.mark.product("OP-1")
def test_a_form_post_means_the_same(identity_app: Flask):
    app = an_app(first_party=True)
    browser, id_token = _entered(identity_app, app)

    sent_round = browser.client.post("/end-session", data={"id_token_hint": id_token})
    response = browser.client.get(sent_round.headers["Location"])

    assert sent_round.status_code == 303
    assert response.headers["Location"] == "/signed-out"
    assert not _is_signed_in(browser, app)


@pytest.mark.product("OP-1")
@pytest.mark.security("9.1", "14.3")
def test_without_a_proof_the_person_is_asked(identity_app: Flask):
    app = an_app(first_party=True)
    browser, _ = _entered(identity_app, app)

    page = _ask(browser, client_id=app.id, post_logout_redirect_uri=AFTER_LOGOUT)

    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert _forwarded_to(text) is None
    assert _is_signed_in(browser, app)
    token = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert token
    confirmed = browser.client.post(
        "/end-session/confirm", data={"csrf_token": token[1], "answer": "sign-out"}
    )
    done = browser.client.get(confirmed.headers["Location"])
    assert not _is_signed_in(browser, app)
    assert "data-signed-out" in done.get_data(as_text=True)


def test_who_stays_is_still_signed_in(identity_app: Flask):
    identity_app.config["WTF_CSRF_ENABLED"] = False
    app = an_app(first_party=True)
    browser, _ = _entered(identity_app, app)

    response = browser.client.post("/end-session/confirm", data={"answer": "stay"})

    assert response.headers["Location"] == "/"
    assert _is_signed_in(browser, app)


@pytest.mark.security("14.3")
def test_another_site_can_not_answer_for_the_person(identity_app: Flask):
    app = an_app(first_party=True)
    browser, _ = _entered(identity_app, app)

    response = browser.client.post("/end-session/confirm", data={"answer": "sign-out"})

    assert response.status_code == 400
    assert _is_signed_in(browser, app)


@pytest.mark.security("9.1")
def test_another_persons_proof_does_not_sign_out(identity_app: Flask):
    identity_app.config["WTF_CSRF_ENABLED"] = False
    app = an_app(first_party=True)
    _, of_another = _entered(identity_app, app)
    browser, _ = _entered(identity_app, app)
    asked = {
        "id_token_hint": of_another,
        "post_logout_redirect_uri": AFTER_LOGOUT,
        "state": "s",
    }

    page = _ask(browser, **asked)
    assert _is_signed_in(browser, app)
    confirmed = browser.client.post("/end-session/confirm", data=asked | {"answer": "sign-out"})

    assert _forwarded_to(page.get_data(as_text=True)) is None
    assert _forwarded_to(confirmed.get_data(as_text=True)) == f"{AFTER_LOGOUT}?state=s"
    assert not _is_signed_in(browser, app)


@pytest.mark.product("OP-1")
@pytest.mark.security("9.1")
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"post_logout_redirect_uri": "https://evil.example"}, "post_logout_redirect_uri"),
        ({"post_logout_redirect_uri": f"{AFTER_LOGOUT}?x=1"}, "post_logout_redirect_uri"),
        ({"id_token_hint": "eyJhbGciOiJub25lIn0.e30."}, "id_token_hint"),
        ({"client_id": "another"}, "client_id"),
    ],
)
def test_a_bad_request_is_a_page_that_names_the_reason(identity_app: Flask, changes, named):
    app = an_app(first_party=True)
    browser, id_token = _entered(identity_app, app)
    good = {"id_token_hint": id_token, "post_logout_redirect_uri": AFTER_LOGOUT}

    response = _ask(browser, **(good | changes))

    assert response.status_code == 400
    assert named in response.get_data(as_text=True)
    assert _is_signed_in(browser, app)


@pytest.mark.product("OP-1")
def test_a_bad_request_that_is_confirmed_stays_bad(identity_app: Flask):
    identity_app.config["WTF_CSRF_ENABLED"] = False
    app = an_app(first_party=True)
    browser, _ = _entered(identity_app, app)

    response = browser.client.post(
        "/end-session/confirm", data={"answer": "sign-out", "id_token_hint": "a.b.c"}
    )

    assert response.status_code == 400
    assert _is_signed_in(browser, app)


def test_somebody_who_is_not_signed_in_is_led_back_all_the_same(identity_app: Flask):
    app = an_app(first_party=True)
    _, id_token = _entered(identity_app, app)

    response = _ask(
        a_browser(identity_app), id_token_hint=id_token, post_logout_redirect_uri=AFTER_LOGOUT
    )

    assert _forwarded_to(response.get_data(as_text=True)) == AFTER_LOGOUT


def test_no_parameters_and_nobody_signed_in_shows_the_end(identity_app: Flask):
    response = a_browser(identity_app).client.get("/end-session?state=s")

    assert response.headers["Location"] == "/signed-out"
