from datetime import timedelta

from idp.credentials import temporary_password
from idp.credentials.own_access import has_own_access
from tenants.database import db
from tests.idp.visitor import a_person, an_authenticator, hash_of


def has(person_id):
    with db.reading() as session:
        return has_own_access(session, person_id=person_id)


def test_nobody_has_any_to_begin_with(identity_app):
    assert not has(a_person(password_=None))


def test_a_password_and_an_app_are_own_access(identity_app, now):
    assert has(a_person())
    person_id = a_person("jan@example.com", password_=None)
    an_authenticator(person_id, now=now)
    assert has(person_id)


def test_a_temporary_password_is_none(identity_app, now):
    person_id = a_person(password_=None)
    with db.transaction() as session:
        temporary_password.store(
            session,
            person_id=person_id,
            hash_=hash_of("x" * 20),
            until=now + timedelta(hours=1),
            now=now,
        )

    assert not has(person_id)
