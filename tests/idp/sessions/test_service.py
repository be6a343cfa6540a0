from datetime import timedelta

import pytest
from sqlalchemy import update

from idp.protocol import acr
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession
from idp.sessions.service import SessionOver, Whereabouts
from kernel.crypto import hash_token
from tenants.database import db
from tenants.people.models import Person
from tests.idp.visitor import a_person
from tests.statements import asked_of

pytestmark = pytest.mark.usefixtures("identity_app")

HERE = Whereabouts(user_agent="Firefox", address="192.0.2.1")


def start(person_id, now, **facts):
    with db.transaction() as session:
        return sessions.start(
            session,
            **{
                "person_id": person_id,
                "amr": ["pwd"],
                "acr": acr.SINGLE_FACTOR,
                "where": HERE,
                "now": now,
                **facts,
            },
        )


def find(secret, now):
    with db.reading() as session:
        return sessions.find_by_secret(session, secret, now=now)


def test_a_session_says_who_signed_in_when_and_how(now):
    person_id = a_person()

    signed_in = find(start(person_id, now, amr=["pwd", "otp", "mfa"], acr=acr.TWO_FACTOR), now)

    assert (signed_in.person_id, signed_in.email) == (person_id, "anna@example.com")
    assert (signed_in.auth_time, signed_in.acr) == (now, acr.TWO_FACTOR)
    assert signed_in.amr == ("pwd", "otp", "mfa")


@pytest.mark.security("5.1")
def test_only_the_hash_of_the_secret_is_stored(now):
    secret = start(a_person(), now)

    with db.reading() as session:
        row = session.query(BrowserSession).one()

    assert len(secret) >= 43
    assert row.secret_hash == hash_token(secret)
    assert secret.encode() not in row.secret_hash


def test_one_statement_finds_the_session_and_that_the_person_is_active(identity_app, now):
    secret = start(a_person(), now)

    with asked_of(db.engine) as asked:
        find(secret, now)

    assert len(asked.selects) == len(asked.statements) == 1


@pytest.mark.security("5.4")
@pytest.mark.parametrize(
    ("after", "alive"), [(timedelta(minutes=59), True), (timedelta(minutes=60), False)]
)
def test_an_unused_session_ends_after_an_hour(now, after, alive):
    secret = start(a_person(), now)

    assert (find(secret, now + after) is not None) is alive


@pytest.mark.security("5.4")
def test_a_session_that_is_used_ends_after_a_day(now):
    secret = start(a_person(), now)
    for hour in range(1, 48):
        used_at = now + timedelta(minutes=30 * hour)
        signed_in = find(secret, used_at)
        if signed_in is None:
            break
        with db.transaction() as session:
            sessions.touch(session, signed_in.session_id, now=used_at)

    assert used_at == now + timedelta(hours=24) or find(secret, used_at) is not None
    assert find(secret, now + timedelta(hours=24)) is None


@pytest.mark.parametrize("status", ["blocked", "erased"])
def test_nobody_who_is_blocked_is_signed_in(now, status):
    person_id = a_person()
    secret = start(person_id, now)

    with db.transaction() as session:
        session.execute(update(Person).where(Person.id == person_id).values(status=status))

    assert find(secret, now) is None


@pytest.mark.security("5.3")
def test_signing_in_again_gives_a_new_secret_and_the_old_one_is_dead(now):
    person_id = a_person()
    old = start(person_id, now)
    before = find(old, now)
    later = now + timedelta(minutes=1)

    new = start(person_id, later, renews=before)

    assert find(old, later) is None
    assert find(new, later).session_id == before.session_id
    assert find(new, later).auth_time == later


@pytest.mark.security("5.3")
def test_a_session_is_never_handed_to_another_person(now):
    first = find(start(a_person(), now), now)

    second = find(start(a_person("bert@example.com"), now, renews=first), now)

    assert second.session_id != first.session_id
    assert second.email == "bert@example.com"


@pytest.mark.security("4.9")
def test_nothing_is_added_to_a_session_that_has_ended(now):
    person_id = a_person()
    before = find(start(person_id, now), now)
    with db.transaction() as session:
        session.execute(update(BrowserSession).values(ended_at=now))

    with pytest.raises(SessionOver):
        start(person_id, now, renews=before, auth_time=before.auth_time)


def test_an_ended_session_is_not_renewed(now):
    person_id = a_person()
    before = find(start(person_id, now), now)
    with db.transaction() as session:
        session.execute(update(BrowserSession).values(ended_at=now))

    after = find(start(person_id, now, renews=before), now)

    assert after.session_id != before.session_id


@pytest.mark.security("5.6")
def test_open_sessions_are_listed_last_used_first(now):
    person_id = a_person()
    start(person_id, now)
    start(person_id, now + timedelta(minutes=1))
    start(a_person("bert@example.com"), now)
    dead = find(start(person_id, now), now)
    with db.transaction() as session:
        session.execute(
            update(BrowserSession).where(BrowserSession.id == dead.session_id).values(ended_at=now)
        )

    with db.reading() as session:
        found = sessions.open_sessions(session, person_id=person_id, now=now + timedelta(minutes=2))

    assert [each.last_seen_at for each in found] == [now + timedelta(minutes=1), now]


def test_a_session_knows_its_owner(now):
    person_id = a_person()
    signed_in = find(start(person_id, now), now)

    with db.reading() as session:
        assert sessions.owns(session, person_id=person_id, session_id=signed_in.session_id)
        assert not sessions.owns(
            session, person_id=signed_in.session_id, session_id=signed_in.session_id
        )


@pytest.mark.security("5.4")
def test_adding_a_proof_makes_a_session_no_longer(now):
    person_id = a_person()
    first = find(start(person_id, now), now)
    later = now + timedelta(minutes=50)

    secret = start(person_id, later, renews=first, auth_time=first.auth_time)

    with db.reading() as session:
        assert session.query(BrowserSession).one().expires_at == now + sessions.absolute_limit()
    assert find(secret, later) is not None


@pytest.mark.security("2.1")
def test_all_addresses_of_an_ipv6_customer_are_one_place():
    one, other = (Whereabouts(address=f"2001:db8::{end}") for end in ("7", "ffff:1"))

    assert one.place == other.place == "2001:db8::/64"
    assert Whereabouts(address="192.0.2.1").place == "192.0.2.1"
    assert Whereabouts(address=None).place == "unknown"
