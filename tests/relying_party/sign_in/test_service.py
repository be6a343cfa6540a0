from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from sqlalchemy import func, select

from kernel import clock
from kernel.crypto import hash_token
from portal.database import db
from portal.sessions.models import ApplicationSession, SignInAttempt
from relying_party.errors import SignInDeclined, SignInFailed
from relying_party.sign_in import answer
from relying_party.sign_in.attempts import LIFE, Wish

BROWSER = hash_token("this browser")
TWO = "urn:klucznik:acr:two-factor"


def begin(party, wish=Wish(), now=None):  # noqa: B008
    return party.sign_in.begin(wish, browser_hash=BROWSER, now=now or clock.now())


def finish(party, callback, **changes):
    given = answer.read((dict(parse_qsl(urlsplit(callback).query)) | changes).items())
    return party.sign_in.finish(given, browser_hash=BROWSER, now=clock.now())


def count(model) -> int | None:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(model))


@pytest.mark.security("4.9", "11.1")
def test_a_wish_for_strength_and_freshness_is_asked_for_and_checked(party, provider):
    url = begin(party, Wish("/", (TWO,), 60))

    asked = parse_qs(urlsplit(url).query)
    finish(party, provider.authorize(url))

    assert asked["acr_values"] == [TWO]
    assert asked["max_age"] == ["60"]
    assert count(ApplicationSession) == 1


@pytest.mark.security("4.9", "11.1")
@pytest.mark.parametrize(
    "change", [{"acr": "urn:klucznik:acr:single-factor"}, {"auth_time": 1_700_000_000}]
)
def test_a_weaker_or_older_sign_in_than_wished_for_is_refused(party, provider, change):
    provider.change_claims = lambda claims: claims.update(change)
    url = begin(party, Wish("/", (TWO,), 60))

    with pytest.raises(SignInFailed):
        finish(party, provider.authorize(url))

    assert count(ApplicationSession) == 0


@pytest.mark.security("11.1", "6.11")
def test_an_answer_that_fails_has_spent_its_attempt(party, provider):
    callback = provider.authorize(begin(party))
    with pytest.raises(SignInFailed):
        finish(party, callback, iss="https://another.example")

    with pytest.raises(SignInFailed, match="no attempt"):
        finish(party, callback)


def test_what_the_provider_declines_carries_its_reason(party, provider):
    callback = provider.authorize(begin(party))
    parts = urlsplit(callback)
    state = dict(parse_qsl(parts.query))["state"]
    given = answer.Answer(state, provider.issuer, None, "access_denied")

    with pytest.raises(SignInDeclined) as declined:
        party.sign_in.finish(given, browser_hash=BROWSER, now=clock.now())

    assert declined.value.error == "access_denied"


def test_without_an_id_token_nobody_is_signed_in(party, provider):
    provider.change_tokens = lambda given: given.pop("id_token", None)

    with pytest.raises(SignInFailed, match="no ID token"):
        finish(party, provider.authorize(begin(party)))


@pytest.mark.security("18.7")
def test_old_attempts_are_cleared_away_now_and_then(party):
    now = clock.now()
    begin(party, now=now - LIFE - timedelta(minutes=5))

    begin(party, now=now)

    assert count(SignInAttempt) == 1
