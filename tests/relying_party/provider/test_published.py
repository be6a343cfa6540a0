from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from joserfc.jwk import ECKey

from relying_party.errors import IdentityUnreachable, TokenInvalid
from relying_party.provider.published import COOL_DOWN, FRESH, PAUSE, STALE

DISCOVERY = "/.well-known/openid-configuration"
SECOND = timedelta(seconds=1)


def test_what_is_known_is_not_asked_again(party, provider, now):
    party.provider.metadata(now)
    party.provider.key("key-1", now + FRESH - SECOND)

    assert (provider.asked[DISCOVERY], provider.asked["/jwks"]) == (1, 1)


def test_what_is_old_is_asked_again(party, provider, now):
    party.provider.metadata(now)
    party.provider.metadata(now + FRESH)

    assert provider.asked[DISCOVERY] == 2


def test_many_at_once_ask_once(party, provider, now):
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: party.provider.metadata(now), range(20)))

    assert provider.asked[DISCOVERY] == 1


@pytest.mark.product("OP-2")
@pytest.mark.security("8.2", "8.5")
def test_an_unknown_key_is_looked_for_but_not_all_the_time(party, provider, now):
    party.provider.metadata(now)
    provider.published.append(ECKey.generate_key("P-256", {"kid": "key-2"}))

    with pytest.raises(TokenInvalid):
        party.provider.key("key-2", now + COOL_DOWN - SECOND)
    found = party.provider.key("key-2", now + COOL_DOWN)

    assert found.kid == "key-2"
    assert provider.asked["/jwks"] == 2


@pytest.mark.security("16.2", "18.7")
def test_made_up_key_ids_do_not_make_us_ask(party, provider, now):
    for number in range(50):
        with pytest.raises(TokenInvalid):
            party.provider.key(f"made-up-{number}", now + COOL_DOWN)

    assert provider.asked["/jwks"] == 1


def test_a_key_that_is_withdrawn_is_forgotten(party, provider, now):
    party.provider.key("key-1", now)
    provider.published[:] = [ECKey.generate_key("P-256", {"kid": "key-2"})]

    with pytest.raises(TokenInvalid):
        party.provider.key("key-1", now + FRESH)


@pytest.mark.security("18.1")
def test_a_silent_provider_is_believed_for_a_while(party, provider, now):
    party.provider.metadata(now)
    provider.stop()

    assert party.provider.metadata(now + FRESH).issuer == provider.issuer
    assert party.provider.key("key-1", now + FRESH + STALE - SECOND).kid == "key-1"
    with pytest.raises(IdentityUnreachable):
        party.provider.metadata(now + FRESH + STALE)


@pytest.mark.security("18.1")
def test_a_failure_is_not_repeated_at_once(party, provider, now):
    provider.change_metadata = lambda described: described.update(issuer="https://evil.example")

    for moment in (now, now + PAUSE - SECOND, now + PAUSE):
        with pytest.raises(IdentityUnreachable):
            party.provider.metadata(moment)

    assert provider.asked[DISCOVERY] == 2


def test_an_error_is_no_document(party, provider, now):
    provider.change_metadata = lambda described: described.update(
        jwks_uri=f"{provider.issuer}/nothing-here"
    )

    with pytest.raises(IdentityUnreachable):
        party.provider.metadata(now)
