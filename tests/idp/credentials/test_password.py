from datetime import timedelta
from typing import Any

import pytest

from idp.credentials import password, temporary_password
from idp.credentials.breached import Nothing
from idp.credentials.password import Problem, is_measurable, normalised, why_refuse
from tenants.database import db
from tests.idp.visitor import a_person


def refused(text, **changes):
    facts: dict[str, Any] = {
        "min_length": 12,
        "context": ["anna.nowak@example.com"],
        "breached": Nothing(),
    }
    return why_refuse(text, **(facts | changes))


@pytest.mark.security("1.1")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", Problem.TOO_SHORT),
        ("łąka i mgła", Problem.TOO_SHORT),
        ("łąka i mgłą!", None),
        ("ż" * 3 + " 3 zielone lampy " + "ó" * 236, None),
        ("x" * 257, Problem.TOO_LONG),
        ("ﷺ" * 20, Problem.TOO_LONG),
    ],
)
def test_length_is_counted_in_code_points_of_what_is_hashed(text, problem):
    assert refused(text) == problem


@pytest.mark.security("1.1")
def test_the_least_length_is_a_setting():
    assert refused("łąka i mgłą", min_length=8) is None
    assert refused("łąka i mgłą!", min_length=15) is Problem.TOO_SHORT


@pytest.mark.security("1.2")
@pytest.mark.parametrize(
    "text",
    [
        "trzy zielone lampy",
        "TRZY ZIELONE LAMPY",
        "827461093582",
        "🦊🐻🦉🐢🦋🐙🦔🐿🦩🦚🐝🦈",
        " odstęp na obu końcach ",
    ],
)
def test_any_kind_of_characters_will_do(text):
    assert refused(text) is None


@pytest.mark.security("1.4")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("qwertyuiop123", Problem.LEAKED),
        ("Password1234", Problem.LEAKED),
        ("Polska123456", Problem.LEAKED),
        ("kochamcie2020!", Problem.LEAKED),
        ("H@slo!1234567", Problem.LEAKED),
        ("anna.nowak-2026", Problem.PERSONAL),
        ("Klucznik2026!", Problem.PERSONAL),
        ("qazxswedcvfrtg", Problem.LEAKED),
        ("abcdefgh12345678", Problem.LEAKED),
    ],
)
def test_what_everybody_knows_is_refused_with_its_reason(text, problem):
    assert refused(text) == problem


@pytest.mark.security("1.4")
def test_a_pattern_that_is_on_no_list_is_guessable():
    assert refused("zxzxzxzxzxzxzx9") in {Problem.GUESSABLE, Problem.LEAKED}


@pytest.mark.security("1.3")
def test_one_normalisation_and_nothing_else():
    assert normalised("Zażółć") == normalised("Zażo\u0301łc\u0301")
    assert normalised("  Hasło ") == "  Hasło "
    assert normalised("HASŁO") != normalised("hasło")


@pytest.mark.security("1.1")
@pytest.mark.security("1.3")
def test_what_is_longer_than_any_password_is_not_hashed():
    assert is_measurable("x" * 256)
    assert not is_measurable("x" * 257)
    assert not is_measurable("ﷺ" * 250)
    assert not is_measurable("")


@pytest.mark.usefixtures("identity_app")
def test_a_password_is_stored_and_replaced(now):
    person_id = a_person(password_=None)
    later = now + timedelta(hours=1)

    with db.transaction() as session:
        before = password.stored_hash(session, person_id=person_id)
        password.store(session, person_id=person_id, hash_="one", now=now)
        password.store(session, person_id=person_id, hash_="two", now=later)
        after = password.stored_hash(session, person_id=person_id)
        changed_at = password.changed_at(session, person_id=person_id)

    assert (before, after, changed_at) == (None, "two", later)


@pytest.mark.usefixtures("identity_app")
def test_a_renewed_hash_does_not_undo_a_change(now):
    person_id = a_person(password_=None)
    with db.transaction() as session:
        password.store(session, person_id=person_id, hash_="old", now=now)
        password.store(session, person_id=person_id, hash_="changed meanwhile", now=now)

        password.replace_hash(session, person_id=person_id, old="old", new="old but stronger")

        assert password.stored_hash(session, person_id=person_id) == "changed meanwhile"


@pytest.mark.product("ID-9")
@pytest.mark.usefixtures("identity_app")
def test_the_first_own_password_takes_the_place_of_a_temporary_one_and_of_no_other(now):
    person_id = a_person(password_=None)
    with db.transaction() as session:
        temporary_password.store(session, person_id=person_id, hash_="temp", until=now, now=now)

        assert password.store_first(session, person_id=person_id, hash_="own", now=now)
        assert not password.store_first(session, person_id=person_id, hash_="other", now=now)

        assert password.stored_hash(session, person_id=person_id) == "own"
        assert temporary_password.until(session, person_id=person_id) is None
