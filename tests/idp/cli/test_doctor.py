"""What the check-up finds in the identity program."""

from datetime import timedelta

import pytest

from idp.cli.application import in_application
from idp.cli.doctor import (
    about_accounts,
    about_imported,
    about_keys,
    about_passwords,
    about_places,
    about_walls,
    findings,
    production_findings,
)
from idp.cli.prepare import prepare
from idp.keys.service import KeySummary
from idp.settings import IdentitySettings
from kernel import clock
from kernel.command_line import Grade
from tenants.accounts import service as accounts
from tenants.database import db
from tests.idp.test_places import KRAKOW, write


def key(algorithm, *, since):
    return KeySummary(f"key-{algorithm}", algorithm, since, since, "signing")


def test_missing_keys_are_wrong(now):
    found = about_keys([], settings=IdentitySettings(), now=now)

    assert [one.grade for one in found] == [Grade.WRONG, Grade.WRONG]
    assert all(one.remedy for one in found)


@pytest.mark.product("OP-2")
def test_a_key_that_should_have_been_rotated_is_worth_knowing(now):
    settings = IdentitySettings(key_rotation_days=90)
    keys = [
        key("ES256", since=now - timedelta(days=98)),
        key("RS256", since=now - timedelta(days=5)),
    ]

    found = about_keys(keys, settings=settings, now=now)

    assert [one.grade for one in found] == [Grade.WORTH_KNOWING, Grade.GOOD]


@pytest.mark.parametrize(
    ("declared", "flagged", "grade"),
    [(False, 0, Grade.WRONG), (True, 2, Grade.WORTH_KNOWING), (True, 0, Grade.GOOD)],
)
def test_accounts_without_an_admin_and_nothing_to_make_roles_of_are_told(declared, flagged, grade):
    found = about_accounts(declared=declared, flagged=flagged)

    assert found.grade is grade
    assert bool(found.remedy) is (grade is not Grade.GOOD)


def test_an_account_that_waits_for_an_admin_is_found(run, ask):
    prepare()
    account = ask("account", "create", "--name", "Alfa")["id"]
    flag(account)

    (found,) = [one for one in findings() if one.subject == "accounts"]

    assert found.says == "1 without an admin who can act"


@in_application
def flag(account: str) -> None:
    with db.transaction(tenant=account) as session:
        accounts.flag(session, account, actor="operator", now=clock.now())


@pytest.mark.security("1.1")
def test_short_passwords_are_worth_knowing():
    assert about_passwords(IdentitySettings(password_min_length=12)).grade is Grade.WORTH_KNOWING
    assert about_passwords(IdentitySettings(password_min_length=15)).grade is Grade.GOOD


def test_a_file_of_places_that_can_not_be_read_is_worth_knowing(tmp_path):
    good, bad = tmp_path / "places.mmdb", tmp_path / "broken.mmdb"
    write(good, {"192.0.2.0/24": KRAKOW})
    bad.write_bytes(b"not a database")

    assert about_places(IdentitySettings()) == []
    assert about_places(IdentitySettings(places_database=good))[0].grade is Grade.GOOD
    for path in (bad, tmp_path / "missing.mmdb"):
        found = about_places(IdentitySettings(places_database=path))[0]
        assert (found.grade, bool(found.remedy)) == (Grade.WORTH_KNOWING, True)


def test_a_prepared_installation_is_well(run):
    prepare()

    assert Grade.WRONG not in {one.grade for one in findings()}


def test_an_empty_one_says_what_to_do(run):
    wrong = [one for one in findings() if one.grade is Grade.WRONG]

    assert all(one.remedy for one in wrong)
    assert wrong


@pytest.mark.security("19.1")
def test_demo_people_in_production_are_wrong(run, monkeypatch):
    prepare()
    monkeypatch.setenv("KLUCZNIK_MODE", "production")
    monkeypatch.setenv("KLUCZNIK_ISSUER", "https://id.example.pl")

    (found,) = production_findings()

    assert found.grade is Grade.WRONG
    assert "demo people" in found.says


def test_a_demonstration_may_have_demo_people(run):
    prepare()

    assert production_findings() == []


def test_imported_passwords_are_worth_knowing_until_the_last_one_was_used():
    assert about_imported(0) == []
    assert about_imported(3)[0].grade is Grade.WORTH_KNOWING


def test_missing_walls_between_accounts_are_wrong():
    assert about_walls(None).grade is Grade.GOOD
    assert about_walls("its role owns the tables").grade is Grade.WRONG
