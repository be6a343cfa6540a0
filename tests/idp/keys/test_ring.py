import json
from datetime import datetime, timedelta

import pytest
from joserfc.jwk import ECKey

from idp.keys.ring import KeyOnRing, KeyRing
from idp.protocol.jwt import TokenKey
from tests.conftest import NOON

LIFE = timedelta(hours=1)


def _held(kid: str, hours: int, *, withdrawn: bool = False, private: bool = True) -> KeyOnRing:
    key = TokenKey(kid, "ES256", ECKey.generate_key("P-256"))
    return KeyOnRing(
        key=key,
        public_jwk={"kid": kid},
        signs_from=NOON + timedelta(hours=hours),
        private=key if private else None,
        withdrawn=withdrawn,
    )


def _signing(ring: KeyRing, now: datetime) -> str | None:
    key = ring.signing("ES256", now)
    return key.id if key is not None else None


def _ring(*keys: KeyOnRing) -> KeyRing:
    return KeyRing(sorted(keys, key=lambda key: key.signs_from, reverse=True), LIFE)


@pytest.mark.security("8.5")
def test_the_next_key_is_published_before_it_signs():
    ring = _ring(_held("old", -10), _held("next", 1))

    assert {key.key.id for key in ring.published(NOON)} == {"old", "next"}
    assert _signing(ring, NOON) == "old"
    assert _signing(ring, NOON + timedelta(hours=1)) == "next"


@pytest.mark.security("8.5")
def test_the_old_key_stays_until_its_last_token_has_ended():
    ring = _ring(_held("old", -10), _held("new", 0))

    before, after = NOON + LIFE - timedelta(seconds=1), NOON + LIFE
    assert {key.key.id for key in ring.published(before)} == {"old", "new"}
    assert {key.key.id for key in ring.published(after)} == {"new"}
    assert not ring.is_over("old", before)
    assert ring.is_over("old", after)


@pytest.mark.security("8.5")
def test_the_ready_document_changes_at_the_very_moment_that_a_key_goes():
    ring = _ring(_held("old", -10), _held("new", 0), _held("next", 1))

    def shown(now: datetime) -> list[str]:
        text = ring.jwks(now)
        assert ring.jwks(now) is text
        return [key["kid"] for key in json.loads(text)["keys"]]

    second = timedelta(seconds=1)
    assert shown(NOON + LIFE - second) == ["next", "new", "old"]
    assert shown(NOON + LIFE) == ["next", "new"]
    assert shown(NOON + 2 * LIFE - second) == ["next", "new"]
    assert shown(NOON + 2 * LIFE) == ["next"]
    # A clock that goes back gets what was true then.
    assert shown(NOON) == ["next", "new", "old"]


def test_an_old_key_still_reads_hints():
    ring = _ring(_held("old", -10, private=False), _held("new", -5))

    assert ring.find("old") is not None
    assert ring.find("none") is None
    assert ring.find(None) is None


@pytest.mark.security("8.5")
def test_a_withdrawn_key_is_nowhere():
    ring = _ring(_held("bad", 0, withdrawn=True), _held("good", -1))

    assert ring.find("bad") is None
    assert _signing(ring, NOON) == "good"
    newest = ring.newest("ES256")
    assert newest is not None
    assert newest.key.id == "good"
    assert b"bad" not in ring.jwks(NOON)


def test_there_may_be_no_key_at_all():
    ring = _ring()

    assert ring.signing("ES256", NOON) is None
    assert ring.newest("ES256") is None
    assert ring.jwks(NOON) == b'{"keys":[]}'
