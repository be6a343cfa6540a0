import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from kernel.errors import Misconfigured
from klucznik.mail_catcher.command import mail_catcher


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def catcher() -> Iterator[subprocess.Popen[bytes]]:
    """The catcher as `klucznik run` starts it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "klucznik.mail_catcher", "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={
            **os.environ,
            "KLUCZNIK_SMTP_PORT": str(free_port()),
            "KLUCZNIK_MAIL_CATCHER_PORT": str(free_port()),
            "PYTHONUNBUFFERED": "1",
        },
    )
    assert process.stdin
    assert process.stdout
    line = process.stdout.readline()
    assert line.startswith(b"Mails are read at http://localhost:"), line
    yield process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(catcher, number):
    catcher.send_signal(number)

    assert catcher.wait(60) == 0


def test_it_ends_with_whoever_started_it(catcher):
    catcher.stdin.close()

    assert catcher.wait(60) == 0


@pytest.mark.security("19.1")
def test_it_is_not_for_production(monkeypatch):
    monkeypatch.setenv("KLUCZNIK_MODE", "production")
    for name in ("SECRET_KEYS", "ENCRYPTION_KEYS", "LEDGER_KEY"):
        monkeypatch.setenv(f"KLUCZNIK_{name}", "x" * 43)

    with pytest.raises(Misconfigured):
        mail_catcher.main([], standalone_mode=False)
