"""The check-up finds what is wrong and says what to do."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from kernel.command_line import Finding, Grade
from kernel.database import migrations
from kernel.errors import Misconfigured
from klucznik.cli import klucznik
from klucznik.db import database_url
from klucznik.doctor import _guarded, about_address, about_database, about_home, about_mail
from klucznik.home import prepare_home
from klucznik.mail_catcher.server import serve as serve_mails
from klucznik.programs import PROGRAMS
from klucznik.serve import settings_of
from tests.installation import free_ports


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home as the first start makes it, without databases."""
    monkeypatch.setenv("KLUCZNIK_HOME", str(tmp_path))
    mails, *ports = free_ports(4)
    monkeypatch.setenv("KLUCZNIK_SMTP_PORT", str(mails))
    for name, port in zip(("ISSUER", "PORTAL_URL", "CRM_URL"), ports, strict=True):
        monkeypatch.setenv(f"KLUCZNIK_{name}", f"http://localhost:{port}")
    prepare_home()
    return tmp_path


def check_up(*words, status):
    result = CliRunner().invoke(klucznik, ["doctor", *words])
    assert result.exit_code == status, (result.output, result.exception)
    return result.stdout


@pytest.mark.product("OPS-3")
def test_every_wrong_thing_comes_with_what_to_do(home):
    found = json.loads(check_up("--json", status=1))

    wrong = [one for one in found if one["grade"] == "wrong"]
    assert {"identity: database", "portal: database", "crm: database", "mail server"} <= {
        one["subject"] for one in wrong
    }
    assert all(one["remedy"] for one in wrong)


@pytest.mark.product("OPS-3")
def test_people_read_sentences(home):
    told = check_up(status=1)

    assert "→ klucznik db init" in told


def test_a_migrated_database_is_well(home):
    program = PROGRAMS["crm"]
    before = about_database(program)
    migrations.upgrade("crm", database_url(program))

    assert before.grade is Grade.WRONG
    assert about_database(program).grade is Grade.GOOD


def test_a_home_that_others_may_read_is_wrong(home):
    assert about_home(home).grade is Grade.GOOD

    (home / "settings.env").chmod(0o644)

    assert about_home(home).grade is Grade.WRONG


def test_settings_from_outside_are_worth_knowing(tmp_path):
    assert about_home(tmp_path / "nowhere").grade is Grade.WORTH_KNOWING


def test_a_mail_server_that_answers_is_well(home, tmp_path):
    port, pages = free_ports(2)
    settings = settings_of(PROGRAMS["identity"]).model_copy(update={"smtp_port": port})

    with serve_mails(port, pages, "127.0.0.1"):
        found = about_mail(settings)

    assert found.grade is Grade.GOOD


def test_a_mail_password_is_not_sent_in_clear_to_find_out(home, monkeypatch):
    port, pages = free_ports(2)
    settings = settings_of(PROGRAMS["identity"]).model_copy(
        update={"smtp_port": port, "smtp_username": "klucznik"}
    )
    # The same server by a name that does not say «this machine».
    monkeypatch.setattr("kernel.mail.smtp._LOOPBACK", frozenset())

    with serve_mails(port, pages, "127.0.0.1"):
        found = about_mail(settings)

    assert found.grade is Grade.WRONG
    assert "SMTP_SECURITY" in found.says


def test_a_mail_server_that_is_not_there_is_wrong(home):
    assert about_mail(settings_of(PROGRAMS["identity"])).grade is Grade.WRONG


def test_a_program_that_does_not_answer_is_worth_knowing(home):
    program = PROGRAMS["portal"]

    assert about_address(program, settings_of(program)).grade is Grade.WORTH_KNOWING


@pytest.mark.security("17.2")
def test_a_wrong_setting_is_found_and_its_value_is_not_told(home, monkeypatch):
    monkeypatch.setenv("KLUCZNIK_ISSUER", "hush-hush")

    told = check_up(status=1)

    assert "identity: settings: not right: issuer" in told
    assert "hush-hush" not in told


def test_an_unusable_secret_is_found(home, monkeypatch):
    monkeypatch.setenv("KLUCZNIK_ENCRYPTION_KEYS", "short")

    assert "a key" in check_up(status=1)


def test_a_check_that_can_not_be_made_is_a_finding():
    def broken():
        raise Misconfigured("out of order")

    (found,) = _guarded("thing", broken)

    assert (found.grade, found.says) == (Grade.WRONG, "could not be looked at: out of order")


def test_a_check_that_can_be_made_is_passed_on():
    good = Finding("thing", Grade.GOOD, "is well")

    assert list(_guarded("thing", lambda: [good])) == [good]


@pytest.mark.security("19.1")
def test_what_production_refuses_is_wrong(home, monkeypatch):
    monkeypatch.setenv("KLUCZNIK_MODE", "production")

    assert "made for a demonstration" in check_up(status=1)
    assert Path(home / "settings.env").exists()
