"""The demo people can sign in, and are made once."""

import pyotp
import pytest

from idp.credentials import password, totp
from idp.credentials.hashing import hashing
from idp.demo import PEOPLE, service
from tenants.database import db
from tenants.people import service as people


def the_person(session, email):
    found = people.find_by_email(session, email)
    assert found
    return found


@pytest.mark.product("OPS-1")
def test_every_password_that_is_printed_works(identity_app, now):
    service.ensure(now=now)

    with db.reading() as session:
        stored = {
            one.email: password.stored_hash(session, person_id=the_person(session, one.email).id)
            for one in PEOPLE
        }

    assert all(hashing().verify(stored[one.email], one.password).matches for one in PEOPLE)


@pytest.mark.product("OPS-1")
def test_a_printed_authenticator_secret_gives_codes_that_work_at_once(identity_app, now):
    service.ensure(now=now)
    one = next(one for one in PEOPLE if one.totp_secret)
    assert one.totp_secret

    with db.transaction() as session:
        person = the_person(session, one.email)
        code = pyotp.TOTP(one.totp_secret).at(now)
        accepted = totp.accept(session, person_id=person.id, text=code, now=now)

    assert accepted


def test_who_is_there_already_is_left_as_they_are(identity_app, now):
    service.ensure(now=now)
    with db.transaction() as session:
        person = the_person(session, PEOPLE[0].email)
        password.store(session, person_id=person.id, hash_="changed", now=now)

    service.ensure(now=now)

    with db.reading() as session:
        assert password.stored_hash(session, person_id=person.id) == "changed"


@pytest.mark.security("19.1")
def test_it_is_known_whether_there_are_any(identity_app, now):
    with db.reading() as session:
        before = service.exist(session)
    service.ensure(now=now)
    with db.reading() as session:
        after = service.exist(session)

    assert (before, after) == (False, True)


def test_making_one_twice_makes_one(identity_app, now):
    for _ in range(2):
        with db.transaction() as session:
            service.create(session, PEOPLE[0], hash_="x", now=now)

    with db.reading() as session:
        assert people.find_by_email(session, PEOPLE[0].email)
