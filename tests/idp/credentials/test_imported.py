from datetime import timedelta

import pytest

from idp.credentials import imported, password
from idp.events import IdpEvent
from kernel.ledger import INSTALLATION
from tenants.audit import ledger
from tenants.database import db
from tests.idp.credentials.vectors import BCRYPT
from tests.idp.visitor import a_person

pytestmark = pytest.mark.usefixtures("identity_app")


def an_imported_person(email, now):
    person_id = a_person(email, password_=None)
    with db.transaction() as session:
        password.adopt(session, [password.ImportedHash(person_id, BCRYPT, 1)], now=now)
    return person_id


def has_password(person_id):
    with db.reading() as session:
        return password.stored_hash(session, person_id=person_id) is not None


@pytest.mark.product("ID-8")
def test_only_old_imported_passwords_are_forgotten(now):
    own = a_person("own@example.com")
    old = an_imported_person("old@example.com", now - timedelta(days=9))
    new = an_imported_person("new@example.com", now - timedelta(days=1))

    with db.reading() as session:
        before = imported.count(session)
    removed = imported.forget(before=now - timedelta(days=2), by="operator", now=now)

    assert (before, removed) == (2, 1)
    assert [has_password(one) for one in (own, old, new)] == [True, False, True]
    with db.reading() as session:
        [row] = ledger.history(session, chain=INSTALLATION)
    assert (row.event, row.details["passwords"]) == (IdpEvent.IMPORTED_PASSWORDS_FORGOTTEN, 1)


def test_where_nothing_is_forgotten_nothing_is_on_record(now):
    a_person("own@example.com")

    assert imported.forget(before=now, by="operator", now=now) == 0
    with db.reading() as session:
        assert ledger.history(session, chain=INSTALLATION) == []
