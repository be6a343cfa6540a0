"""The first start on one machine makes its home."""

import stat

import pytest

from kernel.settings import Settings
from klucznik import home
from klucznik.home import DEMO_MARK, prepare_home
from relying_party.provider.client_assertion import ClientKey


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KLUCZNIK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_the_secrets_are_for_their_owner_alone(folder):
    assert prepare_home()

    assert stat.S_IMODE((folder / "settings.env").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_programs_can_start_with_what_was_made(folder):
    prepare_home()

    settings = Settings()

    assert settings.signing_secrets()[0].startswith(DEMO_MARK)
    sealed = settings.vault().seal(b"hello", context="test")
    assert settings.vault().open(sealed, context="test") == b"hello"
    assert len(settings.ledger_secret()) == 32


def test_our_applications_get_keys_that_they_can_use(folder):
    prepare_home()
    line = next(
        line
        for line in (folder / "settings.env").read_text().splitlines()
        if line.startswith("KLUCZNIK_PORTAL_CLIENT_KEY=")
    )

    assert ClientKey.from_text("portal", line.partition("=")[2].strip("'"))


def test_a_second_start_keeps_what_the_first_one_made(folder):
    prepare_home()
    before = (folder / "settings.env").read_text()

    assert not prepare_home()
    assert (folder / "settings.env").read_text() == before
    assert [path.name for path in folder.iterdir()] == ["settings.env"]


def test_two_homes_share_no_secret(folder):
    assert set(home._secrets().values()) & set(home._secrets().values()) == set()
