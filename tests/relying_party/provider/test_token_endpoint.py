import json
from datetime import timedelta

import pytest

from kernel import clock
from relying_party.errors import IdentityUnreachable, TokenRefused
from relying_party.provider.token_endpoint import parse
from tests.conftest import NOON

ANSWER = {"access_token": "a", "token_type": "Bearer", "expires_in": 300}


def answered(status: int = 200, **changes: object):
    value = {name: value for name, value in (ANSWER | changes).items() if value is not None}
    return parse(status, json.dumps(value).encode(), now=NOON)


def test_tokens_are_read():
    tokens = answered(token_type="bearer", refresh_token="r", id_token="i.i.i", scope="openid")

    assert tokens.access_token == "a"
    assert tokens.refresh_token == "r"
    assert tokens.id_token == "i.i.i"
    assert tokens.expires_at == NOON + timedelta(minutes=5)


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": "a b"},
        {"access_token": "a\r\nX: y"},
        {"access_token": 1},
        {"access_token": "a" * 9_000},
        {"token_type": "DPoP"},
        {"token_type": None},
        {"expires_in": None},
        {"expires_in": "300"},
        {"expires_in": 0},
        {"expires_in": -1},
        {"expires_in": True},
        {"expires_in": 10**9},
        {"refresh_token": 1},
        {"id_token": ["i"]},
    ],
)
def test_an_answer_that_can_not_be_used_is_refused(changes):
    with pytest.raises(IdentityUnreachable):
        answered(**changes)


@pytest.mark.parametrize("status", [400, 401])
def test_a_refusal_carries_its_code(status):
    with pytest.raises(TokenRefused) as refusal:
        answered(status, error="invalid_grant")

    assert refusal.value.error == "invalid_grant"


@pytest.mark.parametrize("status", [201, 302, 400, 404, 429, 500, 503])
def test_any_other_status_means_try_again(status):
    with pytest.raises(IdentityUnreachable):
        answered(status)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<html>", b"\xff", b"[" * 100_000])
def test_something_else_than_an_object_is_refused(body):
    with pytest.raises(IdentityUnreachable):
        parse(200, body, now=NOON)


def test_the_provider_is_asked_as_it_wants_to_be(party, provider, now):
    provider.token_failure = (400, b'{"error":"invalid_grant"}')

    with pytest.raises(TokenRefused):
        party.token_endpoint.refresh("r", resource=provider.issuer, now=now)


def test_a_provider_that_is_gone_means_try_again(party, provider, now):
    party.provider.metadata(now)
    provider.stop()

    with pytest.raises(IdentityUnreachable):
        party.token_endpoint.refresh("r", resource=provider.issuer, now=now)


@pytest.mark.security("18.1")
def test_a_provider_that_takes_its_time_means_try_again(party, provider, now):
    party.provider.metadata(now)
    provider.token_delay = 0.5
    ask = party.outgoing.post
    party.token_endpoint._outgoing.post = lambda *given, **named: ask(*given, **named, seconds=0.1)

    with pytest.raises(IdentityUnreachable):
        party.token_endpoint.refresh("r", resource=provider.issuer, now=clock.now())
