"""Delivering in a process of its own."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.installation import ROOT
from tests.programs import SECRETS


@pytest.mark.product("OPS-2")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_delivers_until_it_is_told_to_stop(tmp_path, sent):
    output = tmp_path / "output"
    settings = {**SECRETS, "home": str(tmp_path)}
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.klucznik.slow_program", "worker", "portal"],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                **{f"KLUCZNIK_{name.upper()}": value for name, value in settings.items()},
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
        process.send_signal(sent)

        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    said = output.read_text()
    assert said.index("worker started") < said.index("worker stopped")
