import pytest

from idp.credentials import recovery_codes
from idp.credentials.hashing import hashing
from idp.credentials.models import RecoveryCode
from tenants.database import db
from tests.idp.race import all_at_once
from tests.idp.visitor import a_person, a_sheet

pytestmark = pytest.mark.usefixtures("identity_app")


def hash_of(person_id, text):
    with db.reading() as session:
        salt = recovery_codes.salt_of(session, person_id=person_id)
    code = recovery_codes.code_of(text) or ""
    return recovery_codes.hash_of(hashing(), code=code, salt=salt)


def spend(person_id, code_hash, now):
    with db.transaction() as session:
        return recovery_codes.spend(session, person_id=person_id, code_hash=code_hash, now=now)


@pytest.mark.product("ID-6")
@pytest.mark.security("4.3")
def test_a_sheet_has_ten_codes_of_eighty_bits(now):
    codes = a_sheet(a_person(), now=now)

    assert len(set(codes)) == 10
    # Sixteen letters of 32 kinds.
    assert {len(code.replace("-", "")) for code in codes} == {16}


@pytest.mark.product("ID-6")
@pytest.mark.security("4.3")
def test_each_code_works_once(now):
    person_id = a_person()
    first, second, *_ = a_sheet(person_id, now=now)

    assert spend(person_id, hash_of(person_id, first), now)
    assert not spend(person_id, hash_of(person_id, first), now)
    assert spend(person_id, hash_of(person_id, second.lower().replace("-", " ")), now)


@pytest.mark.security("4.3")
def test_codes_are_stored_as_password_hashes(now):
    person_id = a_person()
    codes = a_sheet(person_id, now=now)

    with db.reading() as session:
        rows = session.query(RecoveryCode).all()

    plain = [code.replace("-", "").encode() for code in codes]
    assert not any(code in row.code_hash for code in plain for row in rows)
    assert hash_of(person_id, codes[0]) in {row.code_hash for row in rows}


@pytest.mark.security("4.3")
def test_a_new_sheet_voids_the_old_one(now):
    person_id = a_person()
    old = a_sheet(person_id, now=now)[0]
    old_hash = hash_of(person_id, old)
    a_sheet(person_id, now=now)

    assert not spend(person_id, old_hash, now)
    assert not spend(person_id, hash_of(person_id, old), now)


def test_a_code_of_somebody_else_is_worthless(now):
    anna, bert = a_person(), a_person("bert@example.com")
    code = a_sheet(anna, now=now)[0]
    a_sheet(bert, now=now)

    assert not spend(bert, hash_of(anna, code), now)
    assert not spend(bert, hash_of(bert, code), now)


@pytest.mark.product("ID-6")
@pytest.mark.security("15.2")
def test_of_fifty_with_one_code_at_once_one_gets_through(identity_app, now):
    person_id = a_person()
    code_hash = hash_of(person_id, a_sheet(person_id, now=now)[0])

    answers = all_at_once(identity_app, 50, lambda: spend(person_id, code_hash, now))

    assert answers.count(True) == 1
    assert answers.count(False) == 49


def test_what_is_left_is_counted(now):
    person_id = a_person()
    codes = a_sheet(person_id, now=now)
    spend(person_id, hash_of(person_id, codes[3]), now)

    with db.transaction() as session:
        left = recovery_codes.remaining(session, person_id=person_id)
        recovery_codes.void(session, person_id=person_id)
        none = recovery_codes.remaining(session, person_id=person_id)

    assert (left, none) == (9, 0)


@pytest.mark.parametrize(
    "text", ["", "12345678", "123456", "ABCD-EFGH-JKMN-PQR", "ŁBCD-EFGH-JKMN-PQRS"]
)
def test_what_cannot_be_a_code_is_told_at_once(text):
    assert recovery_codes.code_of(text) is None
