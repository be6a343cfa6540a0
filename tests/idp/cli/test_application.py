"""Commands run inside the identity program."""

import pytest

from kernel.errors import Misconfigured


def test_a_database_without_tables_is_a_sentence(run, monkeypatch, tmp_path):
    monkeypatch.setenv("KLUCZNIK_IDENTITY_DATABASE_URL", f"sqlite:///{tmp_path / 'empty'}")

    refused = run("client", "list", status=1).exception

    assert isinstance(refused, Misconfigured)
    assert "klucznik db status" in refused.detail


def test_secrets_are_needed(run, monkeypatch):
    monkeypatch.delenv("KLUCZNIK_SECRET_KEYS")

    assert isinstance(run("client", "list", status=1).exception, Misconfigured)


@pytest.mark.security("17.2")
def test_an_answer_in_json_is_nothing_but_json(ask):
    assert ask("client", "list") == []
