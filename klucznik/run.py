"""`klucznik run`: everything on one machine, for a first look and for development.

Each program is a process of its own (`klucznik serve`), as it is in production. They stop
together: on Ctrl-C, on SIGTERM, when one of them dies, and when this process is killed.
"""

import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

import click

from kernel.errors import Misconfigured
from kernel.observability.metrics import serve_metrics
from kernel.settings import PREFIX, Settings, home_folder
from klucznik.home import prepare_home
from klucznik.programs import PROGRAMS, load
from klucznik.serve import refuse_taken_port, settings_of
from klucznik.settings import StartSettings

_MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
_PATIENCE_SECONDS = 90
_POLL_SECONDS = 0.05
_LAST_LINES = 15


@dataclass(frozen=True)
class Child:
    """A process that we started, and where it says that it is ready."""

    name: str
    process: "subprocess.Popen[bytes]"
    ready_url: str
    log: Path


class Died(Misconfigured):
    """A process ended that should not have."""


@click.command()
def run() -> None:
    """Start everything on this machine: SQLite, demo people, mails that one can read.

    The state lies in KLUCZNIK_HOME (default: var). Ctrl-C stops all.
    """
    started = time.monotonic()
    first_start = prepare_home()
    start = StartSettings()
    if start.production:
        raise Misconfigured("`run` is for a demonstration; production uses `klucznik serve`")
    _refuse_taken_ports(start)
    _stop_on_signals()
    metrics_folder = _fresh_folder(home_folder() / "metrics")
    (home_folder() / "logs").mkdir(exist_ok=True)
    children: list[Child] = []
    try:
        children += _start_children(start, metrics_folder)
        _wait_until_ready(children, deadline=started + _PATIENCE_SECONDS)
        if start.metrics_port:
            os.environ[_MULTIPROCESS] = str(metrics_folder)
            serve_metrics(start.metrics_port)
        _say_where(start, seconds=time.monotonic() - started, first_start=first_start)
        _watch(children)
    except KeyboardInterrupt:
        click.echo("\nStopping …", err=True)
    finally:
        _stop(children, within=start.drain_seconds + 5)
    click.echo("Stopped.", err=True)


def _refuse_taken_ports(start: StartSettings) -> None:
    """Say at once which port is taken, before anything runs."""
    ports = [start.port(name) for name in PROGRAMS]
    for port in (*ports, start.mail_catcher_port, start.smtp_port, start.metrics_port):
        if port:
            refuse_taken_port(start.host, port)


def _stop_on_signals() -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        # A second signal must not interrupt the stopping itself.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def _fresh_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _start_children(start: StartSettings, metrics_folder: Path) -> list[Child]:
    ours = settings_of(PROGRAMS["identity"])
    hosts = [urlsplit(getattr(ours, one.url_setting)).netloc for one in PROGRAMS.values()]
    environment = {
        # Our programs talk to one another on this machine, which outgoing requests else refuse.
        f"{PREFIX}OUTGOING_ALLOWED_HOSTS": ",".join(hosts),
        **os.environ,
        f"{PREFIX}METRICS_PORT": "0",
        _MULTIPROCESS: str(metrics_folder),
    }
    catcher = _start_child(
        "mails",
        ["mail-catcher", "--until-stdin-closes"],
        f"http://{_reachable(start.host)}:{start.mail_catcher_port}/messages.json",
        environment,
    )
    scheme = "https" if start.tls_certificate else "http"
    return [
        catcher,
        *(
            _start_child(
                name,
                ["serve", name, "--prepare", "--until-stdin-closes"],
                f"{scheme}://{_reachable(start.host)}:{start.port(name)}/readyz",
                environment,
            )
            for name in PROGRAMS
        ),
    ]


def _start_child(name: str, words: list[str], ready_url: str, environment: dict[str, str]) -> Child:
    # In a session of its own: Ctrl-C in the terminal reaches us alone, and we stop them in order.
    # Its standard input is a pipe that closes when we are gone, however we went.
    log = home_folder() / "logs" / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (our own command)
            [sys.executable, "-m", "klucznik", *words],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(name, process, ready_url, log)


def _wait_until_ready(children: list[Child], *, deadline: float) -> None:
    for child in children:
        while not _answers(child.ready_url):
            _refuse_dead(children)
            if time.monotonic() > deadline:
                raise Died(f"{child.name} is not ready after {_PATIENCE_SECONDS} s")
            time.sleep(_POLL_SECONDS)


def _answers(url: str) -> bool:
    # A proxy of the environment has no business on loopback, and the certificate of our own child
    # names its public host, not the address that we ask.
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=unchecked))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _refuse_dead(children: list[Child]) -> None:
    for child in children:
        status = child.process.poll()
        if status is not None:
            raise Died(f"{child.name} ended with status {status}. {_last_words(child.log)}")


def _last_words(log: Path) -> str:
    said = log.read_text(errors="replace").strip().splitlines()[-_LAST_LINES:]
    return "\n".join([f"The end of {log}:", *said]) if said else f"It said nothing in {log}."


def _watch(children: list[Child]) -> None:
    while True:
        _refuse_dead(children)
        time.sleep(0.5)


def _stop(children: list[Child], *, within: float) -> None:
    """Stop the programs first and the mail catcher last, so that no mail is lost on the way."""
    deadline = time.monotonic() + within
    for group in (children[1:], children[:1]):
        for child in group:
            if child.process.poll() is None:
                child.process.terminate()
        for child in group:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                click.echo(f"{child.name} did not stop in time and is killed", err=True)
                child.process.kill()
                child.process.wait()


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 (a look-up)


def _say_where(start: StartSettings, *, seconds: float, first_start: bool) -> None:
    identity: Settings = settings_of(PROGRAMS["identity"])
    facts = {
        "Portal": identity.portal_url,  # type: ignore[attr-defined]
        "CRM": identity.crm_url,  # type: ignore[attr-defined]
        "Identity": identity.issuer,  # type: ignore[attr-defined]
        "Mails": f"http://localhost:{start.mail_catcher_port}",
        "Metrics": f"http://localhost:{start.metrics_port}/metrics"
        if start.metrics_port
        else "off",
    }
    click.echo()
    for name, url in facts.items():
        click.echo(f"  {name:<9} {url}")
    click.echo(f"  {'State':<9} {home_folder()}" + ("  (just made)" if first_start else ""))
    click.echo(f"  {'Logs':<9} {home_folder() / 'logs'}")
    click.echo("\n  Sign in to the portal as one of these; a code by mail is under Mails.\n")
    for line in load("idp.demo:lines")():
        click.echo(f"  {line}")
    click.echo(f"\n  Ready after {seconds:.1f} s. Ctrl-C stops everything.\n")
    sys.stdout.flush()
