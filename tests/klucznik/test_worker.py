"""Delivering in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.installation import ROOT, free_ports
from tests.programs import SECRETS


@contextmanager
def working(folder: Path, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker that has begun to work; what it says is in `output`."""
    output = folder / "output"
    given = {**SECRETS, "home": str(folder), "metrics_port": "0", **settings}
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.klucznik.slow_program", "worker", "portal"],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                **{f"KLUCZNIK_{name.upper()}": value for name, value in given.items()},
            },
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + 30
        while '"event": "working"' not in output.read_text():
            assert process.poll() is None, output.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.product("OPS-2")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_delivers_until_it_is_told_to_stop(tmp_path, sent):
    with working(tmp_path) as process:
        process.send_signal(sent)

        assert process.wait(60) == 0
    said = (tmp_path / "output").read_text()
    assert said.index("worker started") < said.index("worker stopped")


@pytest.mark.product("OPS-2")
def test_a_worker_shows_its_own_metrics(tmp_path):
    port = free_ports(1)[0]

    with working(tmp_path, metrics_port=str(port)):
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/metrics")
        page = connection.getresponse().read()
        connection.close()

    assert b"# TYPE klucznik_" in page
