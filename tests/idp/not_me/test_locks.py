from datetime import timedelta

import pytest

from idp.not_me import locks
from idp.not_me.locks import Locked, Reason
from tenants.database import db
from tests.idp.race import all_at_once
from tests.idp.visitor import a_person

pytestmark = pytest.mark.usefixtures("identity_app")


def lock(person_id, now, reason=Reason.NOT_ME):
    with db.transaction() as session:
        return locks.lock(session, person_id=person_id, reason=reason, now=now)


@pytest.mark.product("ID-7")
def test_who_is_locked_is_refused_until_unlocked(now):
    anna, bert = a_person(), a_person("bert@example.com")

    assert lock(anna, now)

    with db.reading() as session, pytest.raises(Locked):
        locks.refuse_if_locked(session, person_id=anna)
    with db.transaction() as session:
        locks.refuse_if_locked(session, person_id=bert)
        assert locks.locked_at(session, person_id=anna) == now
        assert locks.unlock(session, person_id=anna)
        assert not locks.unlock(session, person_id=anna)
        locks.refuse_if_locked(session, person_id=anna)


@pytest.mark.security("15.2")
def test_of_many_who_lock_at_once_one_does(identity_app, now):
    anna = a_person()

    answers = all_at_once(identity_app, 10, lambda: lock(anna, now))

    assert (answers.count(True), answers.count(False)) == (1, 9)


@pytest.mark.security("3.1")
def test_locking_again_counts_from_then(now):
    anna, later = a_person(), now + timedelta(minutes=1)

    assert lock(anna, now)
    assert not lock(anna, later)
    assert not lock(anna, now)

    with db.reading() as session:
        assert locks.locked_at(session, person_id=anna) == later


@pytest.mark.security("3.1")
def test_what_was_proved_before_the_lock_does_not_open_it(now):
    anna = a_person()
    lock(anna, now)

    with db.transaction() as session:
        before, then = now - timedelta(seconds=1), now
        assert not locks.unlock(session, person_id=anna, locked_until=before)
        assert locks.unlock(session, person_id=anna, locked_until=then)
