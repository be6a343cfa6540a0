import json

import pytest
from sqlalchemy import select

from kernel.outgoing import Response
from portal.database import db
from portal.sessions.models import ApplicationSession
from relying_party.errors import ApiUnreachable
from relying_party.grants import api_client


@pytest.fixture
def session_id(browser):
    browser.sign_in()
    with db.reading() as session:
        return session.scalars(select(ApplicationSession.id)).one()


def test_the_api_is_asked_with_the_persons_own_token(party, provider, session_id):
    answer = party.api(provider.issuer).get(session_id, "/userinfo")

    assert answer.is_success
    assert answer.value["sub"] == "person-1"


@pytest.mark.security("7.5")
def test_each_api_is_shown_only_the_token_that_was_made_for_it(
    party, provider, session_id, monkeypatch
):
    shown = {}

    def get(url, *, headers, **_limits):
        shown[url] = headers["Authorization"].removeprefix("Bearer ")
        return Response(204, {}, b"")

    monkeypatch.setattr(party.outgoing, "get", get)
    for audience in (provider.issuer, f"{provider.issuer}/api"):
        party.api(audience).get(session_id, "/things")

    assert {url: provider.access_tokens[token] for url, token in shown.items()} == {
        f"{provider.issuer}/things": provider.issuer,
        f"{provider.issuer}/api/things": f"{provider.issuer}/api",
    }


def test_a_token_that_was_revoked_is_renewed_once(party, provider, session_id):
    token = party.grants.access_token(session_id, audience=provider.issuer)
    del provider.access_tokens[token]

    answer = party.api(provider.issuer).get(session_id, "/userinfo")

    assert answer.status == 200
    assert (
        provider.asked["/userinfo"] == 4
    )  # at the sign-in, refused, the renewal is confirmed, and again


def test_a_refusal_that_lasts_is_handed_on(party, provider, session_id, monkeypatch):
    answer = party.api(f"{provider.issuer}/api").get(session_id, "/refused")

    assert (answer.status, answer.value, answer.is_success) == (401, None, False)


def test_an_api_that_is_gone_is_said_to_be(party, provider, session_id):
    provider.stop()

    with pytest.raises(ApiUnreachable):
        party.api(provider.issuer).get(session_id, "/userinfo")


def test_something_else_than_json_is_refused():
    with pytest.raises(ApiUnreachable):
        api_client._json(b"<html>")

    assert api_client._json(json.dumps([1]).encode()) == [1]


def test_parameters_are_encoded(party, provider, session_id):
    answer = party.api(provider.issuer).get(session_id, "/userinfo", {"q": "a&b=c żółć"})

    assert answer.is_success


@pytest.mark.security("16.1")
@pytest.mark.parametrize("path", ["//evil.example/", "@evil.example", "https://evil.example/", ""])
def test_a_path_can_not_lead_elsewhere(party, provider, session_id, path):
    with pytest.raises(ValueError, match="one slash"):
        party.api(provider.issuer).get(session_id, path)


def test_what_is_done_is_sent_with_its_key_and_the_persons_own_token(party, provider, session_id):
    api = party.api(f"{provider.issuer}/api")

    first = api.post(session_id, "/v1/accounts", {"name": "Dom i Ogród"}, key="once")
    again = api.post(session_id, "/v1/accounts", {"name": "Dom i Ogród"}, key="once")

    assert (first.status, first.value["name"]) == (201, "Dom i Ogród")
    assert again.value == first.value
    assert list(provider.made) == ["once"]


def test_only_a_path_of_the_api_is_posted_to(party, provider, session_id):
    with pytest.raises(ValueError, match="one slash"):
        party.api(provider.issuer).post(session_id, "//elsewhere.example", {}, key="once")
