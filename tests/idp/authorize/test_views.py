"""The authorization endpoint, as a browser meets it."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from consent.oauth import service as consents
from idp.clients import service as clients
from idp.flows.models import Flow
from idp.grants.models import Grant
from idp.protocol import acr
from kernel import clock
from tenants.database import db
from tests.idp.provider import (
    CALLBACK,
    ISSUER,
    Browser,
    a_browser,
    a_person,
    a_query,
    allow,
    an_app,
    answer_of,
    sign_in_to,
    tokens_for,
)


def _hidden_in(page: str) -> dict[str, str]:
    """What the form of a consent page holds besides its buttons."""
    found = {
        name: re.search(rf'name="{name}" value="([^"]+)"', page)
        for name in ("csrf_token", "person")
    }
    return {name: match[1] for name, match in found.items() if match}


def _forwarded_to(page: str) -> str:
    found = re.search(r'href="(https://app\.example[^"]*)"', page)
    assert found, page[:3000]
    return unescape(found[1])


def _go_on(browser: Browser, flow: str):
    return browser.client.get(f"/authorize?flow={flow}")


def _only_flow() -> str:
    with db.reading() as session:
        return str(session.scalars(select(Flow.id)).one())


@pytest.mark.product("OP-1")
@pytest.mark.security("6.6")
@pytest.mark.parametrize("state", ["k ż&=?#/-._~", "0123456789", "-._~" * 32, " + %20 "])
def test_a_live_session_gets_a_code_at_once(identity_app: Flask, state):
    app = an_app(first_party=True)
    browser = a_browser(identity_app, person_id=a_person())

    response = browser.ask(app, state=state)

    answer = answer_of(response)
    assert response.headers["Location"].startswith(f"{CALLBACK}?")
    assert response.headers["Cache-Control"] == "no-store"
    assert set(answer) == {"code", "state", "iss"}
    assert len(answer["code"]) >= 43
    assert answer["state"] == state
    assert answer["iss"] == ISSUER


def test_no_state_in_means_no_state_out(identity_app: Flask):
    browser = a_browser(identity_app, person_id=a_person())

    assert set(answer_of(browser.ask(an_app(first_party=True), state=None))) == {"code", "iss"}


@pytest.mark.product("OP-1")
def test_a_query_of_the_redirect_uri_is_kept(identity_app: Flask):
    uri = f"{CALLBACK}?tenant=a%20b&x="
    app = an_app(first_party=True, redirect_uris=(uri,))
    browser = a_browser(identity_app, person_id=a_person())

    response = browser.ask(app, redirect_uri=uri)

    assert response.headers["Location"].startswith(f"{uri}&code=")


@pytest.mark.product("OP-1")
def test_without_a_session_the_sign_in_page_comes_first(identity_app: Flask):
    response = a_browser(identity_app).ask(an_app())

    assert response.status_code == 303
    assert response.headers["Location"].startswith("/sign-in?flow=")


@pytest.mark.product("OP-1")
@pytest.mark.security("6.9")
def test_a_form_post_means_the_same(identity_app: Flask):
    app = an_app(first_party=True)
    browser = a_browser(identity_app, person_id=a_person())

    sent_round = browser.client.post("/authorize", data=a_query(app))
    response = browser.client.get(sent_round.headers["Location"])

    assert sent_round.status_code == 303
    assert sent_round.headers["Location"].startswith("/authorize?")
    assert answer_of(response)["state"] == "a state"


@pytest.mark.product("OP-1")
@pytest.mark.security("6.1", "6.10")
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"redirect_uri": "https://evil.example/"}, "redirect_uri"),
        ({"redirect_uri": None}, "redirect_uri"),
        ({"client_id": "nobody"}, "client_id"),
    ],
)
def test_an_error_page_names_the_reason(identity_app: Flask, changes, named):
    response = a_browser(identity_app).ask(an_app(), **changes)

    assert response.status_code == 400
    assert "Location" not in response.headers
    assert named in response.get_data(as_text=True)
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.product("OP-1")
def test_an_error_goes_back_with_its_state(identity_app: Flask):
    answer = answer_of(a_browser(identity_app).ask(an_app(), response_type="token"))

    assert answer == {
        "error": "unsupported_response_type",
        "error_description": "only response_type code is supported",
        "iss": ISSUER,
        "state": "a state",
    }


@pytest.mark.product("OP-1")
@pytest.mark.security("6.3")
@pytest.mark.parametrize("changes", [{}, {"response_type": "token"}, {"state": '"><b>ż'}])
def test_form_post_answers_with_a_page_that_posts_itself(identity_app: Flask, changes):
    app = an_app(first_party=True)
    browser = a_browser(identity_app, person_id=a_person())

    response = browser.ask(app, response_mode="form_post", **changes)

    page = response.get_data(as_text=True)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
    assert response.status_code == 200
    assert f'action="{CALLBACK}"' in page
    assert 'method="post"' in page
    assert unescape(fields["state"]) == changes.get("state", "a state")
    assert ("error" in fields) == ("response_type" in changes)
    assert "<script>" not in page
    assert re.search(r"<button[^>]*>", page)
    assert "https://app.example" in response.headers["Content-Security-Policy"]


@pytest.mark.product("OP-1")
def test_prompt_none_needs_somebody_signed_in(identity_app: Flask):
    answer = answer_of(a_browser(identity_app).ask(an_app(), prompt="none"))

    assert answer["error"] == "login_required"


@pytest.mark.product("OP-1")
def test_prompt_none_needs_consent(identity_app: Flask):
    app, person_id = an_app(), a_person()
    browser = a_browser(identity_app, person_id=person_id)

    assert answer_of(browser.ask(app, prompt="none"))["error"] == "consent_required"
    allow(app, person_id, scopes=("openid", "email"))
    assert answer_of(browser.ask(app, prompt="none"))["code"]
    assert answer_of(browser.ask(app, prompt="none", scope="openid profile"))["error"] == (
        "consent_required"
    )


@pytest.mark.product("OP-1")
def test_prompt_none_does_not_step_up(identity_app: Flask):
    app = an_app(first_party=True)
    browser = a_browser(identity_app, person_id=a_person(), acr=acr.MAIL_CODE)

    answer = answer_of(browser.ask(app, prompt="none", acr_values=acr.TWO_FACTOR))

    assert answer["error"] == "interaction_required"


@pytest.mark.product("OP-1")
def test_prompt_none_with_the_hint_of_another_person(identity_app: Flask):
    app, anna, bartek = an_app(first_party=True), a_person(), a_person()
    browser = a_browser(identity_app, person_id=anna)
    hints = {
        person: tokens_for(browser.client, app, person_id=person)["id_token"]
        for person in (anna, bartek)
    }

    assert answer_of(browser.ask(app, prompt="none", id_token_hint=hints[anna]))["code"]
    refused = answer_of(browser.ask(app, prompt="none", id_token_hint=hints[bartek]))
    assert refused["error"] == "login_required"


@pytest.mark.product("OP-1")
@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "1"}])
def test_a_session_is_not_enough_when(identity_app: Flask, changes):
    app = an_app(first_party=True)
    browser = a_browser(identity_app, person_id=a_person(), now=clock.now() - timedelta(minutes=2))

    response = browser.ask(app, **changes)

    assert response.headers["Location"].startswith("/sign-in")


@pytest.mark.product("OP-1")
@pytest.mark.security("6.11", "6.9")
def test_a_fresh_sign_in_ends_the_flow_with_a_page_that_forwards(identity_app: Flask):
    app, person_id = an_app(first_party=True), a_person()
    browser = a_browser(identity_app)
    browser.ask(app, prompt="login")
    flow = _only_flow()
    sign_in_to(browser, person_id)

    response = _go_on(browser, flow)

    assert response.status_code == 200
    assert _forwarded_to(response.get_data(as_text=True)).startswith(f"{CALLBACK}?code=")


@pytest.mark.security("6.11", "2.7")
def test_a_flow_gives_one_code_however_often_it_is_carried_on(identity_app: Flask):
    app = an_app(first_party=True)
    browser = a_browser(identity_app)
    browser.ask(app, prompt="login")
    flow = _only_flow()
    sign_in_to(browser, a_person())
    _go_on(browser, flow)

    again = _go_on(browser, flow)

    # The request begins anew, and asks for a login as it did.
    assert again.headers["Location"].startswith("/sign-in")
    with db.reading() as session:
        assert len(session.scalars(select(Grant)).all()) == 1


@pytest.mark.security("6.11")
def test_somebody_elses_flow_is_of_no_use(identity_app: Flask):
    app, person_id = an_app(first_party=True), a_person()
    a_browser(identity_app).ask(app)
    flow = _only_flow()
    victim = a_browser(identity_app, person_id=person_id)

    response = _go_on(victim, flow)

    assert response.status_code == 400
    with db.reading() as session:
        assert session.scalars(select(Grant)).all() == []


def test_an_expired_flow_goes_on_where_it_stopped(identity_app: Flask):
    app = an_app(first_party=True)
    browser = a_browser(identity_app)
    browser.ask(app)
    flow = _only_flow()
    with db.transaction() as session:
        session.scalars(select(Flow)).one().expires_at = clock.now() - timedelta(seconds=1)
    sign_in_to(browser, a_person())

    response = _go_on(browser, flow)

    assert _forwarded_to(response.get_data(as_text=True)).startswith(f"{CALLBACK}?code=")


@pytest.mark.parametrize("flow", ["", "nonsense", "0198c0de-0000-7000-8000-000000000000"])
def test_an_unknown_flow_is_a_page_with_a_way_out(identity_app: Flask, flow):
    response = _go_on(a_browser(identity_app), flow)

    assert response.status_code == 400


@pytest.mark.product("OP-1")
@pytest.mark.security("10.1")
def test_consent_is_asked_once_and_remembered(identity_app: Flask):
    app = an_app(name="Kalendarz", owner="Przykład sp. z o.o.")
    browser = a_browser(identity_app, person_id=a_person())

    first = browser.ask(app)
    page = browser.client.get(first.headers["Location"]).get_data(as_text=True)
    posted = browser.client.post(
        first.headers["Location"], data={**_hidden_in(page), "answer": "allow"}
    )
    forwarded = browser.client.get(posted.headers["Location"])

    assert first.headers["Location"].startswith("/consent?flow=")
    assert "Kalendarz" in page
    assert "Przykład sp. z o.o." in page
    assert "app.example" in page
    assert posted.status_code == 303
    assert "code=" in _forwarded_to(forwarded.get_data(as_text=True))
    assert answer_of(browser.ask(app, prompt="none"))["code"]


@pytest.mark.product("OP-1")
def test_who_refuses_consent_sends_the_application_away(identity_app: Flask):
    app = an_app()
    browser = a_browser(identity_app, person_id=a_person())
    address = browser.ask(app).headers["Location"]
    page = browser.client.get(address).get_data(as_text=True)

    posted = browser.client.post(address, data={**_hidden_in(page), "answer": "refuse"})
    forwarded = browser.client.get(posted.headers["Location"])

    assert "error=access_denied" in _forwarded_to(forwarded.get_data(as_text=True))
    assert answer_of(browser.ask(app, prompt="none"))["error"] == "consent_required"


@pytest.mark.product("OP-1")
def test_prompt_consent_asks_again(identity_app: Flask):
    app, person_id = an_app(), a_person()
    allow(app, person_id, scopes=("openid", "email", "offline_access"))
    browser = a_browser(identity_app, person_id=person_id)

    address = browser.ask(app, prompt="consent", scope="openid offline_access").headers["Location"]
    page = browser.client.get(address).get_data(as_text=True)
    posted = browser.client.post(address, data={**_hidden_in(page), "answer": "allow"})
    forwarded = browser.client.get(posted.headers["Location"])

    assert address.startswith("/consent")
    assert "code=" in _forwarded_to(forwarded.get_data(as_text=True))


@pytest.mark.security("10.1", "14.3")
def test_consent_without_the_form_token_is_nothing(identity_app: Flask):
    app = an_app()
    browser = a_browser(identity_app, person_id=a_person())
    address = browser.ask(app).headers["Location"]

    response = browser.client.post(address, data={"answer": "allow"})

    assert response.status_code == 400
    assert answer_of(browser.ask(app, prompt="none"))["error"] == "consent_required"


@pytest.mark.security("6.11")
def test_the_consent_page_of_another_browser_asks_nothing(identity_app: Flask):
    app, person_id = an_app(), a_person()
    address = a_browser(identity_app, person_id=person_id).ask(app).headers["Location"]
    other = a_browser(identity_app, person_id=person_id)

    response = other.client.get(address)

    assert response.status_code == 303
    assert response.headers["Location"].startswith("/authorize?flow=")


def test_an_answer_that_is_none_is_asked_for_again(identity_app: Flask):
    app = an_app()
    browser = a_browser(identity_app, person_id=a_person())
    address = browser.ask(app).headers["Location"]
    page = browser.client.get(address).get_data(as_text=True)

    posted = browser.client.post(address, data=_hidden_in(page))

    assert posted.headers["Location"].startswith("/consent")


def test_a_client_switched_off_half_way_ends_the_flow(identity_app: Flask):
    app = an_app(first_party=True)
    browser = a_browser(identity_app)
    browser.ask(app)
    flow = _only_flow()
    sign_in_to(browser, a_person())
    with db.transaction() as session:
        clients.disable(session, app.id, now=clock.now())

    response = _go_on(browser, flow)

    assert response.status_code == 400
    assert "client_id" in response.get_data(as_text=True)


@pytest.mark.security("2.7", "10.1")
def test_an_answer_counts_only_for_the_person_who_was_asked(identity_app: Flask):
    app, asked, other = an_app(), a_person(), a_person()
    browser = a_browser(identity_app, person_id=asked)
    address = browser.ask(app).headers["Location"]
    page = browser.client.get(address).get_data(as_text=True)
    sign_in_to(browser, other)

    posted = browser.client.post(address, data={**_hidden_in(page), "answer": "allow"})

    assert posted.headers["Location"].startswith("/consent")
    with db.reading() as session:
        assert not consents.allowed(session, person_id=other, client_id=app.id, account=None)


@pytest.mark.security("6.1")
def test_a_flow_leads_nowhere_that_is_registered_no_more(identity_app: Flask):
    app = an_app(first_party=True)
    browser = a_browser(identity_app)
    browser.ask(app)
    flow = _only_flow()
    sign_in_to(browser, a_person())
    with db.transaction() as session:
        clients.update_metadata(
            session, app.id, now=clock.now(), redirect_uris=("https://app.example/new",)
        )

    response = _go_on(browser, flow)

    assert response.status_code == 400
    assert CALLBACK not in response.get_data(as_text=True)


@pytest.mark.security("5.4")
def test_asking_silently_keeps_no_session_alive(identity_app: Flask):
    app = an_app(first_party=True)
    browser = a_browser(identity_app, person_id=a_person())

    with time_machine.travel(clock.now() + timedelta(minutes=50)):
        assert "code" in answer_of(browser.ask(app, prompt="none"))
    with time_machine.travel(clock.now() + timedelta(minutes=70)):
        assert answer_of(browser.ask(app, prompt="none"))["error"] == "login_required"


@pytest.mark.security("5.7")
def test_an_answer_with_a_code_is_kept_by_no_cache(identity_app: Flask):
    response = a_browser(identity_app, person_id=a_person()).ask(an_app(first_party=True))

    assert response.headers["Cache-Control"] == "no-store"
    assert "Cookie" in response.headers["Vary"]
