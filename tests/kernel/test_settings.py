"""Settings come from the environment, from secret files, from the home folder; in this order."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from kernel.errors import Misconfigured
from kernel.settings import Mode, Settings
from tests.programs import SECRETS


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KLUCZNIK_HOME", str(tmp_path))
    return tmp_path


def test_the_environment_wins_over_the_home_folder(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "settings.env").write_text("KLUCZNIK_SMTP_HOST=from.home\nKLUCZNIK_THREADS=3\n")
    monkeypatch.setenv("KLUCZNIK_SMTP_HOST", "from.environment")

    settings = Settings()

    assert settings.smtp_host == "from.environment"
    assert settings.threads == 3


def test_a_secret_can_stand_in_a_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "password").write_text("hush\n")
    monkeypatch.setenv("KLUCZNIK_SMTP_PASSWORD_FILE", str(home / "password"))

    assert Settings().smtp_password.get_secret_value() == "hush"


def test_a_secret_file_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLUCZNIK_SMTP_PASSWORD_FILE", "/nonexistent/password")

    with pytest.raises(Misconfigured, match="KLUCZNIK_SMTP_PASSWORD_FILE"):
        Settings()


@pytest.mark.security("19.1", "5.8")
@pytest.mark.parametrize("missing", ["secret_keys", "encryption_keys", "ledger_key"])
def test_production_does_not_start_without(missing: str) -> None:
    with pytest.raises(ValidationError, match=missing.upper()):
        Settings(mode=Mode.PRODUCTION, **(SECRETS | {missing: ""}))


@pytest.mark.security("19.1")
def test_production_refuses_a_short_secret() -> None:
    settings = Settings(mode=Mode.PRODUCTION, **(SECRETS | {"secret_keys": "short"}))

    with pytest.raises(Misconfigured, match="32 characters"):
        settings.signing_secrets()


@pytest.mark.security("5.8")
def test_secrets_rotate_with_the_newest_first() -> None:
    assert Settings(secret_keys="new, old").signing_secrets() == ["new", "old"]


def test_a_refused_setting_does_not_show_what_was_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KLUCZNIK_SMTP_SECURITY", "s3cret-typed-in-the-wrong-place")

    with pytest.raises(ValidationError) as refusal:
        Settings()

    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize("sender", ["", "Klucznik", "no-reply@", "@id.example", "żółw@id.example"])
def test_a_sender_that_is_no_address_is_refused_at_the_start(sender: str) -> None:
    with pytest.raises(ValidationError, match="must be one address"):
        Settings(mail_from=sender)
