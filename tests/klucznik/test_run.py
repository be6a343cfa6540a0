"""`klucznik run` says at once why it cannot start. That it can, every journey shows."""

import socket
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from kernel.errors import Misconfigured
from klucznik.run import run
from tests.installation import free_ports

PORTS = ("IDENTITY_PORT", "PORTAL_PORT", "CRM_PORT", "MAIL_CATCHER_PORT", "SMTP_PORT")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of its own, and ports that nobody has."""
    monkeypatch.setenv("KLUCZNIK_HOME", str(tmp_path))
    monkeypatch.setenv("KLUCZNIK_METRICS_PORT", "0")
    for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True):
        monkeypatch.setenv(f"KLUCZNIK_{name}", str(port))
    return tmp_path


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("name", PORTS)
def test_a_taken_port_is_named_before_anything_runs(taken, name, monkeypatch):
    monkeypatch.setenv(f"KLUCZNIK_{name}", str(taken))

    with pytest.raises(Misconfigured, match=f"port {taken}"):
        CliRunner().invoke(run, catch_exceptions=False)


@pytest.mark.security("19.1")
def test_a_demonstration_is_not_for_production(monkeypatch):
    monkeypatch.setenv("KLUCZNIK_MODE", "production")
    for name in ("SECRET_KEYS", "ENCRYPTION_KEYS", "LEDGER_KEY"):
        monkeypatch.setenv(f"KLUCZNIK_{name}", "x" * 43)

    with pytest.raises(Misconfigured, match="klucznik serve"):
        CliRunner().invoke(run, catch_exceptions=False)


@pytest.mark.product("OPS-1")
def test_the_first_start_makes_secrets_that_only_their_owner_reads(home, taken, monkeypatch):
    monkeypatch.setenv("KLUCZNIK_PORTAL_PORT", str(taken))

    CliRunner().invoke(run)

    made = home / "settings.env"
    assert "KLUCZNIK_SECRET_KEYS" in made.read_text()
    assert made.stat().st_mode & 0o077 == 0
