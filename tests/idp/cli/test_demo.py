"""Who can be signed in as, in a demonstration."""

import pytest

from idp.demo import PEOPLE
from kernel.errors import Misconfigured


@pytest.mark.product("OPS-1")
def test_programs_learn_people_and_addresses(ask):
    told = ask("demo")

    assert told["addresses"] == {
        "identity": "http://localhost:9000",
        "portal": "http://localhost:9001",
        "crm": "http://localhost:9002",
    }
    for person in told["people"]:
        assert {"email", "password", "totp_secret", "may"} <= set(person)


@pytest.mark.product("OPS-1")
def test_there_is_somebody_for_every_way_to_sign_in_and_every_language(ask):
    people = ask("demo")["people"]

    assert {person["totp_secret"] is None for person in people} == {True, False}
    assert {person["locale"] for person in people} == {"pl", "en"}


def test_people_read_lines(run):
    told = run("demo").stdout

    assert all(person.email in told and person.password in told for person in PEOPLE)


@pytest.mark.security("19.1")
def test_production_has_no_demo_people(run, monkeypatch):
    monkeypatch.setenv("KLUCZNIK_MODE", "production")
    monkeypatch.setenv("KLUCZNIK_ISSUER", "https://id.example.pl")

    assert isinstance(run("demo", status=1).exception, Misconfigured)


def test_a_crowd_grows_and_says_how_to_sign_in(run):
    told = run(
        *("demo", "grow", "--people", "20", "--accounts", "2"),
        *("--companies", "1", "--with-password", "5"),
    ).stdout

    assert "20 people, 2 accounts, 2 companies" in told
    assert "osoba-0@crowd.example" in told


@pytest.mark.security("19.1")
def test_production_gets_no_crowd(run, monkeypatch):
    monkeypatch.setenv("KLUCZNIK_MODE", "production")
    monkeypatch.setenv("KLUCZNIK_ISSUER", "https://id.example.pl")

    result = run("demo", "grow", status=1)

    assert isinstance(result.exception, Misconfigured)
