"""The command line: every command by name, what is wrong in a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import BaseModel, SecretStr, ValidationError

from klucznik import cli

ROOT = Path(__file__).resolve().parents[2]
PROMISED = {"run", "serve", "worker", "db", "demo", "person", "client", "keys", "audit", "doctor"}


@pytest.mark.product("OPS-3")
def test_help_lists_every_command_without_loading_one():
    answer = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys, klucznik.cli as cli\n"
            "try: cli.klucznik(['--help'])\n"
            "except SystemExit: pass\n"
            "print('idp' in sys.modules, 'flask' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    assert [name for name in PROMISED if f"\n  {name} " not in answer.stdout] == []
    assert answer.stdout.strip().endswith("False False")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_can_be_loaded_and_explains_itself(name):
    answer = CliRunner().invoke(cli.klucznik, [name, "--help"])

    assert answer.exit_code == 0, answer.output
    assert "Usage:" in answer.output


def test_an_unknown_command_is_refused():
    assert CliRunner().invoke(cli.klucznik, ["no-such-thing"]).exit_code == 2


def test_what_the_operator_did_wrong_is_a_sentence_and_not_a_traceback(tmp_path):
    answer = subprocess.run(
        [sys.executable, "-m", "klucznik", "client", "list"],
        env={"KLUCZNIK_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert answer.stderr.startswith("klucznik: KLUCZNIK_SECRET_KEYS is not set")
    assert "Traceback" not in answer.stderr


@pytest.mark.security("17.2")
def test_a_wrong_setting_is_named_and_its_value_is_not(tmp_path):
    answer = subprocess.run(
        [sys.executable, "-m", "klucznik", "serve", "portal"],
        env={"KLUCZNIK_HOME": str(tmp_path), "KLUCZNIK_SMTP_PORT": "hush-hush"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert "KLUCZNIK_SMTP_PORT: Input should be a valid integer" in answer.stderr
    assert "hush-hush" not in answer.stderr


def test_a_setting_that_concerns_several_is_explained_too():
    class Pair(BaseModel):
        secret: SecretStr

    with pytest.raises(ValidationError) as refused:
        Pair.model_validate({})

    assert cli._sentences(refused.value) == ["  KLUCZNIK_SECRET: Field required"]


@pytest.mark.security("8.5")
def test_what_a_command_writes_is_for_its_own_user_alone(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    subprocess.run(
        [sys.executable, "-m", "klucznik", "db", "upgrade"],
        env={**os.environ, "KLUCZNIK_HOME": str(home)},
        cwd=ROOT,
        check=True,
        capture_output=True,
    )

    files = list(home.rglob("*.sqlite3*"))
    assert files
    assert [path for path in files if path.stat().st_mode & 0o077] == []
