"""Everything on one machine: starts together, stops together."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.installation import KLUCZNIK, ROOT, Installation, free_ports, installation

_loopback = build_opener(ProxyHandler({}))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One for all tests that only look."""
    with installation(tmp_path_factory.mktemp("installation") / "home") as made:
        yield made


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Installation]:
    """One of the test's own, to be ended as it likes."""
    with installation(tmp_path / "home") as made:
        yield made


def children(parent: int) -> set[int]:
    """The processes below one."""
    found: set[int] = set()
    for task in Path(f"/proc/{parent}/task").iterdir():
        # A thread may end while we look.
        with contextlib.suppress(FileNotFoundError):
            for child in map(int, (task / "children").read_text().split()):
                found |= {child, *children(child)}
    return found


def parent(process: int) -> int:
    """The process that started this one (a server's own workers carry its command line too)."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_gone(processes: set[int]) -> None:
    deadline = time.monotonic() + 30
    while alive := {one for one in processes if is_alive(one)}:
        assert time.monotonic() < deadline, alive
        time.sleep(0.1)


def answers(url: str) -> bool:
    with _loopback.open(url, timeout=20) as reply:
        return bool(reply.status == 200)


@pytest.mark.product("OPS-1")
def test_the_first_start_says_where_everything_is_and_whom_to_sign_in_as(undisturbed: Installation):
    said = undisturbed.log.read_text()

    for address in (undisturbed.identity, undisturbed.portal, undisturbed.crm, undisturbed.mails):
        assert address in said
    for person in undisturbed.answer("demo")["people"]:
        assert person["email"] in said
        assert person["password"] in said
    assert "Ready after" in said


@pytest.mark.product("OPS-1")
def test_everything_answers_and_metrics_of_all_are_on_one_page(undisturbed: Installation):
    port = undisturbed.environment["KLUCZNIK_METRICS_PORT"]

    assert answers(f"{undisturbed.identity}/.well-known/openid-configuration")
    assert answers(f"{undisturbed.portal}/healthz")
    assert answers(f"{undisturbed.crm}/healthz")
    assert answers(f"{undisturbed.mails}/messages.json")
    with _loopback.open(f"http://127.0.0.1:{port}/metrics", timeout=20) as reply:
        page = reply.read().decode()
    for program in ("idp", "portal", "crm"):
        assert f'program="{program}"' in page


@pytest.mark.product("OPS-3")
def test_a_running_installation_is_well(undisturbed: Installation):
    grades = {one["subject"]: one["grade"] for one in undisturbed.answer("doctor")}

    assert "wrong" not in grades.values()
    assert grades["portal: address"] == "good"


@pytest.mark.product("OPS-1")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_everything(running: Installation, sent: signal.Signals):
    below = children(running.process.pid)

    running.process.send_signal(sent)

    assert running.process.wait(45) == 0, running.logs()
    assert len(below) >= 7
    wait_until_gone(below)


def test_a_program_that_dies_takes_the_rest_with_it_and_is_named(running: Installation):
    below = children(running.process.pid)
    portal = next(
        one
        for one in below
        if parent(one) == running.process.pid
        and b"serve\0portal" in Path(f"/proc/{one}/cmdline").read_bytes()
    )

    os.kill(portal, signal.SIGKILL)

    assert running.process.wait(45) == 1
    assert "portal ended with status -9" in running.log.read_text()
    wait_until_gone(below)


def test_nothing_is_left_behind_when_it_is_killed(running: Installation):
    below = children(running.process.pid)

    running.process.kill()
    running.process.wait()

    wait_until_gone(below)


def test_a_second_start_finds_what_the_first_one_left(tmp_path: Path):
    with installation(tmp_path / "home") as first:
        made = first.answer("client", "create", "--name", "Robot")
    with installation(tmp_path / "home") as second:
        listed = second.answer("client", "list")

    assert made["client_id"] in {one["client_id"] for one in listed}


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path):
    ports = free_ports(6)
    names = ("IDENTITY", "PORTAL", "CRM", "MAIL_CATCHER", "SMTP", "METRICS")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", ports[1]))
        taken.listen()
        answer = subprocess.run(
            [*KLUCZNIK, "run"],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "KLUCZNIK_HOME": str(tmp_path),
                **{
                    f"KLUCZNIK_{name}_PORT": str(port)
                    for name, port in zip(names, ports, strict=True)
                },
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    assert answer.returncode == 1
    assert f"port {ports[1]} on 127.0.0.1 can't be had" in answer.stderr
    assert not (tmp_path / "logs").exists()


@pytest.mark.security("19.1")
def test_production_is_not_run_like_a_demonstration(tmp_path: Path):
    answer = subprocess.run(
        [*KLUCZNIK, "run"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "KLUCZNIK_HOME": str(tmp_path),
            "KLUCZNIK_MODE": "production",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert answer.returncode == 1
    assert "production uses `klucznik serve`" in answer.stderr


@pytest.mark.security("17.2")
def test_what_was_made_at_the_first_start_is_in_no_log(undisturbed: Installation):
    made = [
        line.partition("=")[2].strip("'")
        for line in (undisturbed.home / "settings.env").read_text().splitlines()
        if line.startswith("KLUCZNIK_")
    ]
    logs = undisturbed.logs()

    assert len(made) == 5
    assert not [secret for secret in made if secret in logs]
