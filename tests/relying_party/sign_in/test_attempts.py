from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from kernel.crypto import hash_token
from portal.database import db
from portal.sessions.models import SignInAttempt
from relying_party.errors import AttemptUnknown
from relying_party.sign_in.attempts import LIFE, Attempts, Wish

BROWSER = hash_token("this browser")


@pytest.fixture
def attempts(party):
    return Attempts(SignInAttempt, vault=party._settings.vault())


def begun(attempts, now, wish=Wish()):  # noqa: B008
    with db.transaction() as session:
        return attempts.begin(session, wish, browser_hash=BROWSER, now=now)


def spent(attempts, state, now, browser=BROWSER):
    with db.transaction() as session:
        return attempts.spend(session, state, browser_hash=browser, now=now)


def test_what_was_begun_comes_back_whole(attempts, now):
    attempt = begun(attempts, now, Wish("/applications", ("two",), 60))

    assert spent(attempts, attempt.state, now) == attempt


@pytest.mark.security("2.7", "11.1")
def test_an_attempt_is_spent_once(attempts, now):
    attempt = begun(attempts, now)
    spent(attempts, attempt.state, now)

    with pytest.raises(AttemptUnknown):
        spent(attempts, attempt.state, now)


@pytest.mark.security("15.2", "11.1")
def test_of_fifty_at_once_one_spends_the_attempt(app, attempts, now):
    attempt = begun(attempts, now)

    def try_it(_):
        with app.app_context():
            try:
                spent(attempts, attempt.state, now)
            except AttemptUnknown:
                return False
            return True

    with ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(try_it, range(50))) == 1


@pytest.mark.security("11.1")
def test_an_attempt_of_another_browser_is_unknown_and_stays_good(attempts, now):
    attempt = begun(attempts, now)

    with pytest.raises(AttemptUnknown):
        spent(attempts, attempt.state, now, hash_token("another"))

    assert spent(attempts, attempt.state, now) == attempt


@pytest.mark.security("2.7")
def test_an_attempt_ends(attempts, now):
    attempt = begun(attempts, now)

    with pytest.raises(AttemptUnknown):
        spent(attempts, attempt.state, now + LIFE)


@pytest.mark.security("18.7")
def test_what_nobody_comes_back_to_is_cleared_away(attempts, now):
    begun(attempts, now - LIFE - timedelta(seconds=1))
    kept = begun(attempts, now)

    with db.transaction() as session:
        attempts.sweep(session, now=now)

    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 1
    assert spent(attempts, kept.state, now) == kept
