"""What a token says is read strictly; whoever it does not name is left alone."""

from datetime import UTC, datetime

import pytest

from relying_party.errors import EventRefused
from relying_party.revocations.service import RevocationEvent
from relying_party.security_events import event_token
from relying_party.security_events.event_token import Event, Heartbeat
from tests.relying_party.security_events.events import (
    DISABLED,
    HEARTBEAT,
    changed,
    claims_of,
    person,
    tenant,
)

ACCOUNT = "0123456789ab"


def check(provider, claims, *, now, typ="secevent+jwt"):
    return event_token.check(
        provider.sign(claims, typ=typ),
        issuer=provider.issuer,
        client_id="portal",
        algorithm="ES256",
        find_key=lambda _kid: provider.sign_with,
        now=now,
    )


@pytest.fixture
def at(provider):
    """The moment at which the tokens of the tests were made."""
    return datetime.fromtimestamp(claims_of(provider, DISABLED)["iat"], UTC)


@pytest.mark.product("OP-5")
def test_an_event_names_person_account_and_version(provider, at):
    claims = claims_of(
        provider,
        changed(provider),
        {"version": 7},
        sub_id={"format": "complex", "user": person(provider), "tenant": tenant(ACCOUNT)},
    )

    token = check(provider, claims, now=at)

    assert token.content == Event(
        what=RevocationEvent.CONTEXT_CHANGED,
        subject=provider.person["sub"],
        account=ACCOUNT,
        version=7,
        happened_at=datetime.fromtimestamp(claims["iat"], UTC),
    )


def test_a_heartbeat_says_how_much_waits(provider, at):
    claims = claims_of(provider, HEARTBEAT, {"waiting": 3}, sub_id=tenant("portal"))

    assert check(provider, claims, now=at).content == Heartbeat(3)


def test_what_we_do_not_know_says_nothing(provider, at):
    assert check(provider, claims_of(provider, "urn:new"), now=at).content is None


@pytest.mark.security("8.3")
def test_a_token_is_remembered_for_as_long_as_it_would_be_taken(provider, at):
    claims = claims_of(provider, DISABLED)
    token = check(provider, claims, now=at)

    with pytest.raises(EventRefused, match="too long ago"):
        check(provider, claims, now=token.replayable_until)


@pytest.mark.security("8.4")
@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "logout+jwt"])
def test_no_other_token_is_taken_for_an_event(provider, at, typ):
    with pytest.raises(EventRefused):
        check(provider, claims_of(provider, DISABLED), now=at, typ=typ)


def test_a_block_names_a_person_alone(provider, at):
    both = {"format": "complex", "user": person(provider), "tenant": tenant(ACCOUNT)}

    with pytest.raises(EventRefused, match="a person alone"):
        check(provider, claims_of(provider, DISABLED, sub_id=both), now=at)
