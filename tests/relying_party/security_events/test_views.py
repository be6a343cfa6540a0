"""What is pushed is believed when it is right, and felt by the next request."""

import time

import pytest
from sqlalchemy import select

from portal.database import db
from portal.sessions.models import ApplicationSession, Revocation
from tests.relying_party.browsers import Browser
from tests.relying_party.context_switch.test_views import HERE, THERE, enter
from tests.relying_party.security_events.events import (
    DISABLED,
    ENABLED,
    REVOKED,
    beat,
    changed,
    claims_of,
    person,
    push,
    push_token,
    tenant,
)
from tests.relying_party.strict_provider import ACCOUNT


def context(provider, account, subject=None):
    return {"format": "complex", "user": person(provider, subject), "tenant": tenant(account)}


def end_reason():
    with db.reading() as session:
        return session.scalars(select(ApplicationSession.end_reason)).one()


@pytest.mark.product("ID-11", "OP-5")
def test_a_blocked_person_is_out_at_once(browser):
    browser.sign_in()

    response = push(browser, DISABLED)

    assert (response.status_code, response.data) == (202, b"")
    assert response.headers["Cache-Control"] == "no-store"
    assert not browser.is_signed_in()
    assert end_reason() == "logged-out-by-provider"


@pytest.mark.product("OP-5")
def test_others_stay(browser, provider):
    browser.sign_in()

    push(browser, DISABLED, sub_id=person(provider, "somebody else"))

    assert browser.is_signed_in()


@pytest.mark.product("OP-5")
def test_changed_permissions_are_felt_by_the_next_request(browser, provider):
    browser.sign_in()
    enter(browser, HERE)
    asked = provider.asked["/token"]

    push(browser, changed(provider), sub_id=context(provider, ACCOUNT))
    browser.get(HERE)

    assert provider.asked["/token"] > asked


@pytest.mark.product("OP-5")
def test_an_account_that_ended_is_felt_by_all_who_work_in_it(browser, provider):
    browser.sign_in()
    enter(browser, HERE)
    asked = provider.asked["/token"]

    push(browser, REVOKED, sub_id={"format": "complex", "tenant": tenant(ACCOUNT)})
    browser.get(HERE)

    assert provider.asked["/token"] > asked


def test_an_account_that_nobody_works_in_concerns_nobody(browser, provider):
    browser.sign_in()
    enter(browser, THERE)
    asked = provider.asked["/token"]

    push(browser, REVOKED, sub_id={"format": "complex", "tenant": tenant(ACCOUNT)})
    browser.get(THERE)

    assert provider.asked["/token"] == asked


@pytest.mark.product("ID-11")
def test_a_block_that_comes_after_its_unblock_ends_nothing(browser, provider):
    browser.sign_in()

    push(browser, ENABLED, {"version": 8})
    response = push(browser, DISABLED, {"version": 7})

    assert response.status_code == 202
    assert browser.is_signed_in()


@pytest.mark.product("ID-11")
def test_a_block_that_comes_after_an_older_unblock_ends_the_session(browser, provider):
    browser.sign_in()

    push(browser, ENABLED, {"version": 7})
    push(browser, DISABLED, {"version": 8})

    assert not browser.is_signed_in()


def test_the_same_event_again_is_taken_and_changes_nothing(browser, provider):
    a_while_ago = {"event_timestamp": int(time.time()) - 60}
    token = provider.sign(claims_of(provider, DISABLED, a_while_ago), typ="secevent+jwt")
    assert push_token(browser, token).status_code == 202
    browser.sign_in()

    assert push_token(browser, token).status_code == 202

    assert browser.is_signed_in()
    with db.reading() as session:
        assert len(session.scalars(select(Revocation)).all()) == 1


@pytest.mark.security("8.4", "11.1")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"typ": "logout+jwt"}, "invalid_key"),
        ({"typ": "JWT"}, "invalid_key"),
        ({"iss": "https://another.example"}, "invalid_issuer"),
        ({"aud": "crm"}, "invalid_audience"),
        ({"aud": ["portal", "crm"]}, "invalid_audience"),
        ({"jti": None}, "invalid_request"),
        ({"iat": None}, "invalid_request"),
        ({"iat": 1_000_000}, "invalid_request"),
        ({"iat": 99_999_999_99}, "invalid_request"),
        ({"exp": 99_999_999_99}, "invalid_request"),
        ({"sub": "person-1"}, "invalid_request"),
        ({"sub_id": None}, "invalid_request"),
        ({"sub_id": {"format": "email", "email": "anna@example.com"}}, "invalid_request"),
        ({"sub_id": {"format": "complex"}}, "invalid_request"),
        ({"sub_id": {"format": "iss_sub", "iss": "https://a.example", "sub": "person-1"}}, None),
        ({"events": {}}, "invalid_request"),
        ({"events": {DISABLED: {}, ENABLED: {}}}, "invalid_request"),
        ({"events": {DISABLED: "now"}}, "invalid_request"),
        ({"events": {DISABLED: {"version": -1}}}, "invalid_request"),
        ({"events": {DISABLED: {"version": True}}}, "invalid_request"),
    ],
)
def test_a_token_with_a_wrong_claim_has_no_effect(browser, change, reason):
    browser.sign_in()

    response = push(browser, DISABLED, **change)

    assert response.status_code == 400
    assert response.json["err"] == (reason or "invalid_request")
    assert browser.is_signed_in()


@pytest.mark.security("8.1")
def test_a_token_that_somebody_else_signed_has_no_effect(browser, provider):
    browser.sign_in()
    token = provider.sign(claims_of(provider, DISABLED), typ="secevent+jwt")
    head, body, _ = token.split(".")

    for forged in (f"{head}.{body}.", f"{head}.{body}.AAAA", "x", "", "a.b.c", b"\xff\xfe"):
        assert push_token(browser, forged).status_code == 400

    assert browser.is_signed_in()


def test_only_the_media_type_of_events_is_taken(browser, provider):
    token = provider.sign(claims_of(provider, DISABLED), typ="secevent+jwt")

    assert push_token(browser, token, content_type="application/jwt").status_code == 400


def test_an_event_that_we_know_nothing_of_is_taken_and_ignored(browser):
    browser.sign_in()

    assert push(browser, "https://schemas.openid.net/secevent/new").status_code == 202

    assert browser.is_signed_in()


@pytest.mark.security("18.1")
def test_without_the_providers_keys_it_has_to_try_again(browser, provider):
    token = provider.sign(claims_of(provider, DISABLED), typ="secevent+jwt")
    provider.stop()

    assert push_token(browser, token).status_code == 503


@pytest.mark.product("OP-5")
def test_an_event_that_overtakes_a_sign_in_makes_it_ask_once_more(browser, provider):
    callback = browser.begin()
    push(browser, changed(provider), sub_id=context(provider, ACCOUNT))
    browser.come_back(callback)
    asked = provider.asked["/token"]

    assert browser.get("/applications").status_code == 200

    assert provider.asked["/token"] == asked + 1


@pytest.mark.product("ID-11")
def test_a_block_that_overtakes_a_sign_in_ends_it(browser):
    callback = browser.begin()
    push(browser, DISABLED, {"event_timestamp": 9_999_999_999})

    assert browser.come_back(callback).status_code != 303
    assert not browser.is_signed_in()


class TestSilence:
    """While something may be missing, nothing that was said before is enough."""

    @pytest.mark.product("OP-5")
    def test_every_request_asks_the_provider(self, browser, provider):
        browser.sign_in()
        beat(browser, waiting=1)
        asked = provider.asked["/userinfo"]

        statuses = [browser.get("/").status_code for _ in range(3)]

        assert statuses == [200, 200, 200]
        assert provider.asked["/userinfo"] >= asked + 3

    @pytest.mark.product("OP-5")
    def test_a_token_that_the_provider_took_back_is_noticed(self, browser, provider):
        browser.sign_in()
        beat(browser, waiting=1)
        provider.access_tokens.clear()
        provider.token_failure = (400, b'{"error":"invalid_grant"}')

        assert not browser.is_signed_in()

    @pytest.mark.security("17.3")
    def test_a_provider_that_can_not_be_reached_opens_nothing(self, browser, provider):
        browser.sign_in()
        beat(browser, waiting=1)
        provider.stop()

        response = browser.get("/")

        assert response.status_code == 503
        assert 'data-code="identity_unreachable"' in response.text

    @pytest.mark.product("OP-5")
    def test_it_ends_with_a_heartbeat_that_says_that_nothing_is_missing(self, browser, provider):
        browser.sign_in()
        beat(browser, waiting=1)
        browser.get("/")
        beat(browser)
        asked = provider.asked["/userinfo"]

        browser.get("/")

        assert provider.asked["/userinfo"] == asked

    @pytest.mark.product("OP-5")
    def test_a_page_in_an_account_asks_for_that_account(self, browser, provider):
        browser.sign_in()
        enter(browser, HERE)
        beat(browser, waiting=1)
        provider.access_tokens.clear()
        provider.token_failure = (400, b'{"error":"invalid_grant"}')

        assert browser.get(HERE).status_code == 403


def test_one_application_does_not_hear_what_another_is_told(browser: Browser):
    browser.sign_in()

    assert push(browser, DISABLED, aud="crm").status_code == 400

    assert browser.is_signed_in()
