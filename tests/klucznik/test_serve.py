"""Serving one program: what is open is finished, what is wrong is said."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest

from kernel.errors import Misconfigured
from klucznik.serve import refuse_taken_port, refuse_to_start
from tests.certificates import make_certificates
from tests.installation import ROOT, free_ports
from tests.programs import SECRETS


class Served:
    """A program served in a process of its own."""

    def __init__(self, folder: Path, *words: str, **settings: str) -> None:
        self.port = free_ports(1)[0]
        self.output = folder / f"output-{self.port}"
        given = {**SECRETS, "home": str(folder), "metrics_port": "0", **settings}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.klucznik.slow_program", "serve", "portal"),
                    *("--port", str(self.port), *words),
                ],
                cwd=ROOT,
                env={
                    "PATH": os.environ["PATH"],
                    **{f"KLUCZNIK_{name.upper()}": value for name, value in given.items()},
                },
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str) -> None:
        deadline = time.monotonic() + 30
        while words not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.02)

    def get(self, path: str) -> tuple[int, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", path, headers={"Host": "localhost:9001"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def wait_until_ready(self) -> None:
        self.wait_for('"event": "serving"')
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                assert self.get("/readyz")[0] == 200
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(self.said())


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def new(*words: str, **settings: str) -> Served:
        started.append(Served(tmp_path, *words, **settings))
        return started[-1]

    yield new
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()
        assert one.process.stdin
        one.process.stdin.close()


@pytest.mark.product("OPS-3")
@pytest.mark.security("18.4")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_stopping_program_finishes_the_open_request(serve: Callable[..., Served], sent: int):
    served = serve(drain_notice_seconds="0.5")
    served.wait_until_ready()
    answers: list[tuple[int, bytes]] = []
    asking = threading.Thread(target=lambda: answers.append(served.get("/slow")))
    asking.start()
    served.wait_for("slow request")

    served.process.send_signal(sent)
    status = served.process.wait(60)
    asking.join()

    assert answers == [(200, b"finished")]
    assert status == 0, served.said()
    assert served.said().index("worker started") < served.said().index("worker stopped")


@pytest.mark.security("18.4")
def test_a_stopping_program_says_first_that_it_is_not_ready(serve: Callable[..., Served]):
    served = serve(drain_notice_seconds="30")
    served.wait_until_ready()

    served.process.terminate()
    # Once the notice is over nobody listens any more, and asking fails.
    while served.get("/readyz")[0] == 200:
        time.sleep(0.02)
    asked = served.get("/slow")

    assert asked == (200, b"finished")


def test_without_a_worker_only_requests_are_served(serve: Callable[..., Served]):
    served = serve(worker="false")
    served.wait_until_ready()

    assert "worker started" not in served.said()


def test_what_keeps_a_program_from_starting_is_a_sentence(serve: Callable[..., Served]):
    served = serve(default_locale="en")

    assert served.process.wait(60) == 1
    assert "klucznik serve portal: this program is out of order" in served.said()
    assert "Traceback" not in served.said()


def test_a_program_told_to_stop_while_it_loads_stops_at_once(serve: Callable[..., Served]):
    served = serve()
    time.sleep(0.7)

    served.process.terminate()

    served.process.wait(60)


def test_a_program_stops_when_who_started_it_is_gone(serve: Callable[..., Served]):
    served = serve("--until-stdin-closes")
    served.wait_until_ready()
    assert served.process.stdin

    served.process.stdin.close()

    assert served.process.wait(60) == 0


def test_what_serves_stops_when_what_watches_over_it_is_killed(serve: Callable[..., Served]):
    served = serve()
    served.wait_until_ready()

    served.process.kill()
    served.process.wait()

    deadline = time.monotonic() + 30
    while '"event": "stopped"' not in served.said():
        assert time.monotonic() < deadline, served.said()
        time.sleep(0.1)


def test_metrics_have_a_port_of_their_own(serve: Callable[..., Served]):
    port = free_ports(1)[0]
    served = serve(metrics_port=str(port))
    served.wait_until_ready()

    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics")

    assert b"klucznik_http_requests_total" in connection.getresponse().read()
    assert served.get("/metrics")[0] == 404


@pytest.mark.security("19.1")
def test_production_refuses_to_start_with_secrets_of_the_demonstration(
    serve: Callable[..., Served],
):
    served = serve(mode="production", secret_keys="demo-" + "x" * 40)

    assert served.process.wait(60) == 1
    assert "production refuses to start: secret_keys was made for a demo" in served.said()


def test_tls_can_end_here(serve: Callable[..., Served], tmp_path: Path):
    made = make_certificates(tmp_path, "localhost")
    served = serve("--tls-certificate", str(made.chain), "--tls-key", str(made.key))
    served.wait_for('"event": "serving"')

    trusted = ssl.create_default_context(cafile=made.authority)
    deadline = time.monotonic() + 30
    while True:
        connection = HTTPSConnection("localhost", served.port, timeout=10, context=trusted)
        try:
            connection.request("GET", "/healthz")
            break
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    assert connection.getresponse().status == 200


def test_a_port_that_somebody_has_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(Misconfigured, match=f"port {port} on 127.0.0.1 can't be had"):
            refuse_taken_port("127.0.0.1", port)


def test_a_free_port_is_not_refused():
    refuse_taken_port("127.0.0.1", free_ports(1)[0])


def test_no_reason_is_no_refusal():
    refuse_to_start([])


def test_what_was_loaded_is_not_looked_through_for_garbage_again():
    """In a process of its own: it would hold for all the tests after it."""
    script = (
        "import gc\nfrom klucznik.serve import _collect_rarely\ngc.disable()\n_collect_rarely()\n"
        "print(gc.get_freeze_count() > 10_000, gc.get_threshold()[0] > 700, gc.isenabled())"
    )

    said = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert said.stdout.split() == ["True", "True", "True"]
