"""`klucznik passwords add` makes a list of any size refuse what stands in it."""

import json

import pytest
from click.testing import CliRunner

from idp.cli.passwords import passwords
from idp.credentials.breached import BreachedPasswords
from kernel.errors import Misconfigured
from tests.idp.credentials.vectors import BCRYPT


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "leaked.txt"
    path.write_text("correct horse battery\nstaple staple staple\n")
    return path


@pytest.mark.security("1.4")
def test_a_list_is_added_to_what_is_refused(file, tmp_path, monkeypatch):
    monkeypatch.setenv("KLUCZNIK_BREACHED_PASSWORDS", str(tmp_path / "filters"))

    answer = CliRunner().invoke(passwords, ["add", str(file), "--json"], catch_exceptions=False)

    assert json.loads(answer.output) == {"added": 2, "in_all": 2}
    assert BreachedPasswords(tmp_path / "filters").contains("correct horse battery")


def test_a_second_list_adds_to_the_first(file, tmp_path, monkeypatch):
    monkeypatch.setenv("KLUCZNIK_BREACHED_PASSWORDS", str(tmp_path / "filters"))
    CliRunner().invoke(passwords, ["add", str(file)], catch_exceptions=False)

    answer = CliRunner().invoke(passwords, ["add", str(file), "--json"], catch_exceptions=False)

    assert json.loads(answer.output)["in_all"] == 4


def test_without_a_folder_the_setting_is_named(file):
    with pytest.raises(Misconfigured, match="KLUCZNIK_BREACHED_PASSWORDS"):
        CliRunner().invoke(passwords, ["add", str(file)], catch_exceptions=False)


@pytest.mark.product("ID-8")
def test_imported_passwords_that_nobody_came_with_are_dropped(ask, run, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text(f"email,password_hash\nanna@example.com,{BCRYPT}\n")
    ask("person", "import", str(file))

    kept = ask("passwords", "drop-imported", "--older-than", "1", "--yes")
    dropped = ask("passwords", "drop-imported", "--older-than", "0", "--yes")

    assert (kept, dropped) == ({"dropped": 0}, {"dropped": 1})
    assert ask("person", "show", "anna@example.com")["factors"]["password"] is False
    assert "dropped" in run("passwords", "drop-imported", "--older-than", "0", "--yes").stdout


def test_dropping_asks_first(run):
    run("passwords", "drop-imported", "--older-than", "0", status=1)
