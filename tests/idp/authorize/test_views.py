"""The authorization endpoint, as a browser meets it."""

import pytest
from flask import Flask

from idp.clients import service as clients
from tests.idp.provider import (
    CALLBACK,
    ISSUER,
    a_browser,
    a_person,
    a_query,
    allow,
    an_app,
    answer_of,
)


@pytest.mark.product("OP-1")
def test_a_live_session_gets_a_code_at_once(identity_app: Flask):
    app = an_app(first_party=True)
    browser = a_browser(identity_app, person_id=a_person())

    response = browser.ask(app, state="k ż&=?#/-._~")

    answer = answer_of(response)
    assert response.headers["Location"].startswith(f"{CALLBACK}?")
    assert len(answer["code"]) >= 43
    assert answer["state"] == "k ż&=?#/-._~"
    assert answer["iss"] == ISSUER


def test_without_a_session_the_sign_in_page_comes_first(identity_app: Flask):
    response = a_browser(identity_app).ask(an_app())

    assert response.status_code == 303
    assert response.headers["Location"].startswith("/sign-in")
