"""Operators create people, and never their passwords."""

import re

import pytest

from idp.access.return_address import NotAnAddressOfOurs
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
        "passkey": False,
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


@pytest.mark.product("ID-9")
@pytest.mark.product("ID-10")
@pytest.mark.security("1.9")
@pytest.mark.parametrize("how", ["temporary-password", "welcome-link"])
def test_a_person_may_be_created_with_a_mail_that_lets_them_in(ask, run, how):
    made = run("person", "create", "--email", "anna@example.com", "--access", how)

    shown = ask("person", "show", "anna@example.com")
    assert (shown["activated"], shown["access"]) == (False, how)
    assert shown["access_until"] is not None
    # What lets the person in is in the mail alone.
    assert not re.search(r"\w{3}(-\w{3}){4}|token=", made.stdout)


@pytest.mark.product("ID-9")
def test_access_is_sent_again_as_it_was_given(ask, run):
    run("person", "create", "--email", "anna@example.com", "--access", "welcome-link")

    again = ask("person", "send-access", "Anna@example.com")

    assert (again["email"], again["access"]) == ("anna@example.com", "welcome-link")


@pytest.mark.security("3.11")
def test_the_operator_is_told_when_no_further_mail_was_sent(run):
    run("person", "create", "--email", "anna@example.com", "--access", "welcome-link")
    for _ in range(4):
        run("person", "send-access", "anna@example.com")

    refused = run("person", "send-access", "anna@example.com", status=1)

    assert "not sent" in refused.stderr


def test_the_mail_leads_to_an_address_of_ours_only(run):
    create = ("person", "create", "--email", "anna@example.com")

    nowhere = run(*create, "--access", "welcome-link", "--return-to", "https://a.example", status=1)
    run(*create, "--return-to", "http://localhost:9001/", status=2)
    run(*create, "--access", "welcome-link", "--return-to", "http://localhost:9001/")

    assert isinstance(nowhere.exception, NotAnAddressOfOurs)


def test_access_is_sent_to_nobody_who_is_not_there(run):
    result = run("person", "send-access", "nobody@example.com", status=1)

    assert isinstance(result.exception, NotFound)


@pytest.mark.product("ID-7")
@pytest.mark.security("17.1")
def test_the_operator_locks_and_unlocks_an_id(ask, run):
    ask("person", "create", "--email", "anna@example.com")

    locked = ask("person", "lock", "Anna@example.com")
    shown = ask("person", "show", "anna@example.com")
    in_words = run("person", "show", "anna@example.com").stdout
    unlocked = ask("person", "unlock", shown["id"])
    again = ask("person", "unlock", shown["id"])

    assert locked == {"email": "anna@example.com", "sessions_ended": 0, "devices": 0}
    assert shown["locked_at"] is not None
    assert "locked since" in in_words
    assert (unlocked["was_locked"], again["was_locked"]) == (True, False)
    assert ask("person", "show", "anna@example.com")["locked_at"] is None


@pytest.mark.parametrize("command", ["lock", "unlock"])
def test_nobody_who_is_not_there_is_locked(run, command):
    result = run("person", command, "nobody@example.com", status=1)

    assert isinstance(result.exception, NotFound)


@pytest.mark.product("ID-11")
def test_the_operator_blocks_and_unblocks_an_id(ask, run):
    ask("person", "create", "--email", "anna@example.com")

    blocked = ask("person", "block", "anna@example.com", "--reason", "a court order")
    assert blocked["is_news"]
    assert ask("person", "show", "anna@example.com")["status"] == "blocked"

    unblocked = ask("person", "unblock", "anna@example.com", "--reason", "it was lifted")
    assert unblocked["is_news"]
    assert ask("person", "show", "anna@example.com")["status"] == "active"


@pytest.mark.product("ID-11")
def test_a_block_needs_a_reason(run):
    run("person", "create", "--email", "anna@example.com")

    run("person", "block", "anna@example.com", status=2)
