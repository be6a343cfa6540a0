from datetime import timedelta
from math import log2

import pytest

from idp.credentials import password, temporary_password
from tenants.database import db
from tests.idp.visitor import a_person

pytestmark = pytest.mark.usefixtures("identity_app")


def store(person_id, hash_, now, *, until=None):
    with db.transaction() as session:
        return temporary_password.store(
            session,
            person_id=person_id,
            hash_=hash_,
            until=until or now + timedelta(hours=72),
            now=now,
        )


def replace(person_id, hash_, now):
    with db.transaction() as session:
        return temporary_password.replace(
            session, person_id=person_id, hash_=hash_, own="own", now=now
        )


def find(person_id, typed_at):
    with db.reading() as session:
        return temporary_password.find(session, person_id=person_id, typed_at=typed_at)


def own_of(person_id):
    with db.reading() as session:
        return password.stored_hash(session, person_id=person_id)


@pytest.mark.product("ID-9")
def test_one_is_easy_to_read_and_hard_to_guess():
    one, other = temporary_password.generate(), temporary_password.generate()

    assert one != other
    assert [len(group) for group in one.split("-")] == [3] * 5
    assert not set(one) & set("l1Io0OQS")
    assert 15 * log2(len(set(temporary_password._LETTERS))) > 70


def test_one_is_found_with_its_end_and_is_not_the_persons_own(now):
    person_id = a_person(password_=None)

    assert store(person_id, "hash", now)

    assert find(person_id, now) == ("hash", now + timedelta(hours=72))
    assert own_of(person_id) is None
    with db.reading() as session:
        assert password.changed_at(session, person_id=person_id) is None


@pytest.mark.security("1.9")
def test_one_never_takes_the_place_of_an_own_password(now):
    person_id = a_person()
    before = own_of(person_id)

    assert not store(person_id, "hash", now)
    assert own_of(person_id) == before


def test_what_was_typed_before_a_newer_one_came_is_not_found(now):
    person_id = a_person(password_=None)
    store(person_id, "new", now)

    assert find(person_id, now - timedelta(seconds=1)) is None


def test_one_gives_way_to_an_own_password_once(now):
    person_id = a_person(password_=None)
    store(person_id, "hash", now)

    assert replace(person_id, "hash", now)
    assert not replace(person_id, "hash", now)
    assert own_of(person_id) == "own"
    assert find(person_id, now) is None


@pytest.mark.security("3.1")
def test_one_opens_nothing_from_the_second_on_in_which_it_ends(now):
    person_id = a_person(password_=None)
    store(person_id, "hash", now, until=now)

    assert not replace(person_id, "hash", now)
    assert replace(person_id, "hash", now - timedelta(seconds=1))


def test_another_one_than_was_checked_is_not_replaced(now):
    person_id = a_person(password_=None)
    store(person_id, "hash", now)

    assert not replace(person_id, "former", now)


def test_taking_one_away_leaves_an_own_password(now):
    somebody, owner = a_person(password_=None), a_person("bob@example.com")
    store(somebody, "hash", now)

    with db.transaction() as session:
        for person_id in (somebody, owner):
            temporary_password.remove(session, person_id=person_id)

    assert find(somebody, now) is None
    assert own_of(owner) is not None
