"""Operators create people, and never their passwords."""

import pytest

from kernel.errors import NotFound
from tenants.people.service import EmailTaken


@pytest.mark.product("ID-2")
def test_a_created_person_is_shown_under_any_spelling_of_the_address(ask):
    made = ask(
        *("person", "create", "--email", "Anna@Example.com", "--given-name", "Anna"),
        *("--family-name", "Lis", "--locale", "pl"),
    )

    shown = ask("person", "show", "anna@example.COM")

    assert shown["id"] == made["id"]
    assert (shown["given_name"], shown["family_name"], shown["locale"]) == ("Anna", "Lis", "pl")


@pytest.mark.security("1.9")
def test_a_created_person_has_no_password_and_no_factor(ask):
    ask("person", "create", "--email", "anna@example.com")

    assert ask("person", "show", "anna@example.com")["factors"] == {
        "password": False,
        "authenticator_app": False,
    }


@pytest.mark.security("1.9")
def test_no_option_sets_a_password(run):
    run("person", "create", "--email", "a@example.com", "--password", "x", status=2)


def test_a_person_is_shown_by_id_in_words(ask, run):
    made = ask("person", "create", "--email", "anna@example.com")

    shown = run("person", "show", made["id"]).stdout

    assert "anna@example.com" in shown
    assert "email_key" not in shown


@pytest.mark.product("ID-2")
def test_an_address_is_taken_once(run):
    run("person", "create", "--email", "anna@example.com")

    again = run("person", "create", "--email", "ANNA@example.com", status=1)

    assert isinstance(again.exception, EmailTaken)


def test_somebody_unknown_is_not_found(run):
    result = run("person", "show", "nobody@example.com", status=1)

    assert isinstance(result.exception, NotFound)
