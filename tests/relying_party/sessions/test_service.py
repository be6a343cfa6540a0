from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.database import db
from portal.sessions.models import ApplicationSession
from relying_party.provider.userinfo import Userinfo
from relying_party.sessions.service import EndReason, NewSession

ISSUER = "https://id.example"
SECOND = timedelta(seconds=1)


@pytest.fixture
def sessions(party):
    return party.sessions


MARRIED = Userinfo("p-1", "anna@example.com", "Anna Żak", "en", "Europe/London")


def started(sessions, now, **changes):
    facts = {
        "issuer": ISSUER,
        "subject": "p-1",
        "sid": "s-1",
        "id_token": "an.id.token",
        "email": "anna@example.com",
        "name": "Anna Nowak",
        "locale": "pl",
        "zoneinfo": None,
        "acr": "two",
        "amr": ("pwd",),
        "auth_time": now,
        "vouched_until": now + timedelta(minutes=5),
    } | changes
    with db.transaction() as session:
        return sessions.start(session, NewSession(**facts), now=now)


def ended(sessions, now, find):
    with db.transaction() as session:
        ids = find(session)
        sessions.end(session, ids, reason=EndReason.SIGNED_OUT, now=now)
    return ids


def test_the_secret_tells_who_asks(sessions, now):
    session_id, secret = started(sessions, now)

    person = sessions.current(secret, now=now)

    assert (person.session_id, person.issuer, person.subject) == (session_id, ISSUER, "p-1")
    assert person.display_name == "Anna Nowak"
    assert person.amr == ("pwd",)


@pytest.mark.parametrize(
    ("changes", "shown"),
    [({"name": None}, "anna@example.com"), ({"name": None, "email": None}, "p-1")],
)
def test_somebody_without_a_name_is_shown_as_what_is_known(sessions, now, changes, shown):
    _, secret = started(sessions, now, **changes)

    assert sessions.current(secret, now=now).display_name == shown


@pytest.mark.security("5.1")
@pytest.mark.parametrize("secret", [None, "", "made-up", "\udc80", "x" * 10_000])
def test_anything_else_tells_nobody(sessions, now, secret):
    started(sessions, now)

    assert sessions.current(secret, now=now) is None


@pytest.mark.security("5.1", "8.6")
def test_secrets_are_long_and_never_alike(sessions, now):
    secrets = {started(sessions, now)[1] for _ in range(20)}

    assert len(secrets) == 20
    assert min(map(len, secrets)) >= 22


@pytest.mark.security("5.4")
def test_a_session_that_nobody_uses_ends(sessions, now):
    _, secret = started(sessions, now)

    assert sessions.current(secret, now=now + timedelta(minutes=59)) is not None
    assert sessions.current(secret, now=now + timedelta(minutes=118)) is not None
    assert sessions.current(secret, now=now + timedelta(minutes=178)) is None


@pytest.mark.security("5.4")
def test_a_session_ends_however_much_it_is_used(sessions, now):
    _, secret = started(sessions, now)
    for hour in range(24 * 2):
        sessions.current(secret, now=now + timedelta(minutes=30 * hour))

    assert sessions.current(secret, now=now + timedelta(hours=24) - SECOND) is not None
    assert sessions.current(secret, now=now + timedelta(hours=24)) is None


@pytest.mark.security("5.5")
def test_an_ended_session_is_over_at_once_and_keeps_its_first_reason(sessions, now):
    session_id, secret = started(sessions, now)
    ended(sessions, now, lambda _: [session_id])
    with db.transaction() as session:
        sessions.end(session, [session_id], reason=EndReason.LOGGED_OUT_BY_PROVIDER, now=now)

    assert sessions.current(secret, now=now) is None
    with db.reading() as session:
        assert session.scalars(select(ApplicationSession.end_reason)).one() == "signed-out"


@pytest.mark.security("11.2")
def test_sessions_are_found_by_sign_in_and_by_person_of_one_issuer(sessions, now):
    one, _ = started(sessions, now)
    two, _ = started(sessions, now, sid="s-2")
    started(sessions, now, subject="p-2", sid="s-3")
    started(sessions, now, issuer="https://other.example")

    with db.reading() as session:
        of_sign_in = sessions.of_sign_in(session, issuer=ISSUER, sid="s-1", subject=None)
        of_other = sessions.of_sign_in(session, issuer=ISSUER, sid="s-1", subject="p-2")
        of_person = sessions.of_person(session, issuer=ISSUER, subject="p-1")

    assert of_sign_in == [one]
    assert of_other == []
    assert set(of_person) == {one, two}


def test_the_providers_word_is_written_down(sessions, now):
    session_id, secret = started(sessions, now)
    later = now + timedelta(minutes=10)

    with db.transaction() as session:
        sessions.confirm(session, session_id, MARRIED, until=later)

    person = sessions.current(secret, now=now)
    assert person.vouched_until == later
    assert (person.name, person.locale, person.zoneinfo) == ("Anna Żak", "en", "Europe/London")


@pytest.mark.security("8.6")
def test_the_id_token_is_sealed_for_its_session(sessions, now):
    session_id, _ = started(sessions, now)

    with db.reading() as session:
        assert b"an.id.token" not in session.scalars(select(ApplicationSession.id_token)).one()
    assert sessions.id_token(session_id) == "an.id.token"


@pytest.mark.security("18.7")
def test_what_is_over_for_a_day_is_cleared_away(sessions, now):
    started(sessions, now - timedelta(days=3))
    _, kept = started(sessions, now)

    with db.transaction() as session:
        sessions.sweep(session, now=now)

    with db.reading() as session:
        assert session.scalar(select(func.count()).select_from(ApplicationSession)) == 1
    assert sessions.current(kept, now=now) is not None
