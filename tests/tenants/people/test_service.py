from datetime import timedelta

import pytest

from tenants.database import db
from tenants.people import service as people
from tenants.people.service import EmailTaken, Newcomer
from tests.idp.race import all_at_once

pytestmark = pytest.mark.usefixtures("identity_app")


def a_person(now, email="anna@example.com", **facts):
    with db.transaction() as session:
        return people.create(session, email=email, now=now, **facts)


@pytest.mark.product("ID-2")
def test_a_person_is_found_by_any_spelling_of_the_address(now):
    made = a_person(now, "Anna@Example.com")

    with db.reading() as session:
        found = people.find_by_email(session, " ANNA@example.COM ")

    assert found == made
    assert found.email == "Anna@example.com"


@pytest.mark.product("ID-2")
def test_an_address_is_one_id_in_the_whole_installation(now):
    a_person(now)

    with pytest.raises(EmailTaken):
        a_person(now, "ANNA@EXAMPLE.COM")


@pytest.mark.product("ID-2")
def test_the_transaction_goes_on_after_a_taken_address(now):
    a_person(now)

    with db.transaction() as session:
        with pytest.raises(EmailTaken):
            people.create(session, email="anna@example.com", now=now)
        people.create(session, email="other@example.com", now=now)

    with db.reading() as session:
        assert people.find_by_email(session, "other@example.com") is not None


@pytest.mark.product("ID-2")
@pytest.mark.security("15.2")
def test_of_many_who_take_an_address_at_once_one_gets_it(identity_app, now):
    answers = all_at_once(identity_app, 20, lambda: a_person(now))

    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert all(
        isinstance(answer, EmailTaken) for answer in answers if isinstance(answer, Exception)
    )


def test_nobody_is_found_by_what_is_no_address(now):
    with db.reading() as session:
        assert people.find_by_email(session, "not an address") is None


def test_a_profile_changes_where_it_differs(now):
    person = a_person(now)
    later = now + timedelta(hours=1)

    with db.transaction() as session:
        changed = people.describe(
            session, person_id=person.id, values={"given_name": "Anna"}, now=later
        )
        again = people.describe(
            session, person_id=person.id, values={"given_name": "Anna"}, now=later
        )
        found = people.find(session, person.id)

    assert (changed, again) == (True, False)
    assert (found.given_name, found.updated_at) == ("Anna", later)


@pytest.mark.security("3.7")
@pytest.mark.parametrize("field", ["email", "email_key", "status", "id"])
def test_the_address_is_no_part_of_a_profile(now, field):
    person = a_person(now)

    with db.transaction() as session, pytest.raises(ValueError, match=field):
        people.describe(session, person_id=person.id, values={field: "x"}, now=now)


def test_a_person_is_called_by_name_where_there_is_one(now):
    named = a_person(now, given_name="Anna", family_name="Nowak")
    unnamed = a_person(now, "other@example.com")

    assert (named.name, named.short_name) == ("Anna Nowak", "Anna")
    assert (unnamed.name, unnamed.short_name) == ("", "other@example.com")


@pytest.mark.product("ID-2")
def test_many_newcomers_are_made_at_once_except_those_who_are_there(now):
    known = a_person(now, "anna@example.com")
    newcomers = [
        Newcomer(people.canonical_email("ANNA@example.com"), given_name="Other"),
        Newcomer(people.canonical_email("jan@example.com"), given_name="Jan", locale="pl"),
    ]

    with db.transaction() as session:
        made = people.create_many(session, newcomers, now=now)
    with db.reading() as session:
        anna, jan = (
            people.find_by_email(session, email)
            for email in ("anna@example.com", "jan@example.com")
        )

    assert made == {"jan@example.com": jan.id}
    assert anna == known
    assert (jan.given_name, jan.locale, jan.created_at) == ("Jan", "pl", now)


def test_nobody_is_made_of_nothing(now):
    with db.transaction() as session:
        assert people.create_many(session, [], now=now) == {}


def test_which_addresses_are_known_is_one_question(now):
    a_person(now, "anna@example.com")

    with db.reading() as session:
        known = people.known_keys(session, {"anna@example.com", "jan@example.com"})

    assert known == {"anna@example.com"}
