"""What is said of a fact, in the words of the specifications."""

from uuid import UUID

import pytest

from idp.security_events import events
from idp.security_events.events import EFFECTS, Effect, Happened
from tenants.facts.service import Kind

ISSUER = "https://id.example"
EVENT = UUID("01990000-0000-7000-8000-000000000001")
PERSON = UUID("01990000-0000-7000-8000-000000000002")
ACCOUNT = "0123456789ab"


def claims(now, **changes):
    happened = Happened(
        **{
            "id": EVENT,
            "effect": Effect.CHANGED,
            "version": 7,
            "account": ACCOUNT,
            "person_id": PERSON,
            "at": now,
            **changes,
        }
    )
    return events.claims(happened, issuer=ISSUER, audience="crm", now=now)


@pytest.mark.product("OP-5")
def test_an_event_of_a_person_in_an_account_names_both(now):
    seconds = int(now.timestamp())

    assert claims(now) == {
        "iss": ISSUER,
        "aud": "crm",
        "iat": seconds,
        "jti": str(EVENT),
        "toe": seconds,
        "sub_id": {
            "format": "complex",
            "user": {"format": "iss_sub", "iss": ISSUER, "sub": str(PERSON)},
            "tenant": {"format": "opaque", "id": ACCOUNT},
        },
        "events": {f"{ISSUER}/events/context-changed": {"event_timestamp": seconds, "version": 7}},
    }


def test_an_event_of_an_account_names_it_alone(now):
    assert claims(now, person_id=None)["sub_id"] == {
        "format": "complex",
        "tenant": {"format": "opaque", "id": ACCOUNT},
    }


@pytest.mark.product("ID-11")
@pytest.mark.parametrize(
    ("effect", "uri"),
    [
        (Effect.DISABLED, "https://schemas.openid.net/secevent/risc/event-type/account-disabled"),
        (Effect.ENABLED, "https://schemas.openid.net/secevent/risc/event-type/account-enabled"),
        (Effect.REVOKED, "https://schemas.openid.net/secevent/caep/event-type/session-revoked"),
    ],
)
def test_what_specifications_name_is_called_so(effect, uri, now):
    said = claims(now, effect=effect, account=None)

    assert list(said["events"]) == [uri]
    assert said["sub_id"] == {"format": "iss_sub", "iss": ISSUER, "sub": str(PERSON)}


def test_it_never_ends_and_can_be_taken_for_no_other_token(now):
    assert {"exp", "sub", "nonce", "sid"}.isdisjoint(claims(now))


def test_a_heartbeat_says_how_much_waits(now):
    said = events.heartbeat(issuer=ISSUER, audience="crm", jti=EVENT, waiting=3, now=now)

    assert said["events"] == {
        "https://schemas.openid.net/secevent/ssf/event-type/verification": {"waiting": 3}
    }
    assert said["sub_id"] == {"format": "opaque", "id": "crm"}


@pytest.mark.product("TEN-17", "OP-5")
def test_all_that_takes_something_away_is_told():
    taken = {kind for kind in Kind if kind.value.split(".")[-1] in {"blocked", "removed", "left"}}

    assert taken | {Kind.ACCOUNT_CLOSED, Kind.ACCOUNT_SUSPENDED} <= EFFECTS.keys()
    assert EFFECTS[Kind.ACCOUNT_APPLICATION_TAKEN] is Effect.REVOKED
