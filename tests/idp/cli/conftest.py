"""The operators' command line in front of a fresh database."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from click.testing import CliRunner, Result

from klucznik.cli import klucznik
from tests import programs
from tests.conftest import MakeDatabase

Run = Callable[..., Result]
Ask = Callable[..., Any]


@pytest.fixture
def run(make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run("client", "list")`: what that command does."""
    url = make_database("identity", programs._migrated("identity"))
    settings = {
        **programs.SECRETS,
        "secret_keys": "s" * 40,
        "identity_database_url": url,
        "metrics_port": "0",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"KLUCZNIK_{name.upper()}", value)
    return partial(_run, CliRunner())


def _run(runner: CliRunner, *words: str, status: int = 0, stdin: str | None = None) -> Result:
    result = runner.invoke(klucznik, list(words), input=stdin)
    assert result.exit_code == status, (result.output, result.exception)
    return result


@pytest.fixture
def ask(run: Run) -> Ask:
    """`ask("client", "list")`: what that command answers in JSON."""
    return lambda *words, status=0: json.loads(run(*words, "--json", status=status).stdout)
