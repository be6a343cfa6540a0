from datetime import timedelta

import pytest
from sqlalchemy import update

from idp.sessions import arrivals
from idp.sessions import service as sessions
from idp.sessions.models import BrowserSession
from tenants.database import db
from tests.idp.sessions.test_service import HERE
from tests.tenants import making
from tests.tenants.acting import membership

pytestmark = [
    pytest.mark.usefixtures("identity_app"),
    pytest.mark.product("TEN-15"),
    pytest.mark.security("2.4"),
]

A_MINUTE = timedelta(minutes=1)


def a_client(now):
    """Somebody with an ID whom an account added a minute ago."""
    account, person = making.an_account(), making.a_person()
    added = making.a_client(account.id, person, accepted_at=None, created_at=now - A_MINUTE)
    return account, person, added


def sign_in(person, now):
    with db.transaction() as session:
        return sessions.start(session, person_id=person, amr=["pwd"], acr="1", where=HERE, now=now)


def test_who_signs_in_after_an_account_added_them_is_seen_by_it(now):
    account, person, added = a_client(now)
    other, _, of_somebody = a_client(now)
    sign_in(person, now)

    assert arrivals.note(now) == 1
    assert membership(account.id, added).accepted_at == now
    assert membership(other.id, of_somebody).accepted_at is None
    assert arrivals.note(now + A_MINUTE) == 0


def test_a_sign_in_from_before_tells_nothing(now):
    account, person, added = a_client(now)
    sign_in(person, now - 2 * A_MINUTE)

    assert arrivals.note(now) == 0
    assert membership(account.id, added).accepted_at is None


def test_one_more_sign_in_in_the_same_session_counts(now):
    account, person, added = a_client(now)
    sign_in(person, now - timedelta(hours=3))
    with db.transaction() as session:
        session.execute(
            update(BrowserSession)
            .where(BrowserSession.person_id == person)
            .values(auth_time=now, expires_at=now + sessions.absolute_limit())
        )

    assert arrivals.note(now) == 1
    assert membership(account.id, added).accepted_at == now
