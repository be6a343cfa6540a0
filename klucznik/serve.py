"""`klucznik serve`: one program on granian, with its worker, until it is told to stop."""

import ctypes
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from granian.constants import HTTPModes, Interfaces, RuntimeModes, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from kernel.errors import KlucznikError, Misconfigured
from kernel.observability.logs import configure_logging, get_logger
from kernel.observability.metrics import serve_metrics
from kernel.settings import Settings
from klucznik import production
from klucznik.programs import PROGRAMS, Program, load
from klucznik.settings import StartSettings

log = get_logger(__name__)
WSGI = Callable[..., Any]

_M_ARENA_MAX, _HEAPS = -8, 1  # malloc.h
# A request leaves few cycles behind, and what was loaded at the start is never garbage.
_NEW_OBJECTS, _YOUNG_ROUNDS, _MIDDLE_ROUNDS = 20_000, 10, 20
_HEADER_SECONDS = 10
_BIGGEST_HEADERS = 64 * 1024


@click.command()
@click.argument("program", type=click.Choice(list(PROGRAMS)))
@click.option("--host", help="Address to listen on; a setting otherwise.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port; a setting otherwise.")
@click.option(
    "--tls-certificate", type=click.Path(exists=True, path_type=Path), help="Certificate (PEM)."
)
@click.option("--tls-key", type=click.Path(exists=True, path_type=Path), help="Its key (PEM).")
@click.option(
    "--prepare",
    is_flag=True,
    help="First bring the database up to date and make what a first start needs.",
)
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
def serve(
    program: str,
    *,
    host: str | None,
    port: int | None,
    tls_certificate: Path | None,
    tls_key: Path | None,
    prepare: bool,
    until_stdin_closes: bool,
) -> None:
    """Serve PROGRAM until SIGTERM or Ctrl-C; open requests are then finished."""
    chosen = PROGRAMS[program]
    given: dict[str, Any] = {"host": host, "tls_certificate": tls_certificate, "tls_key": tls_key}
    start = StartSettings(**{name: value for name, value in given.items() if value is not None})
    settings = settings_of(chosen)
    configure_logging(settings.log_level, program=program)
    refuse_to_start(production.refusals(chosen, settings))
    port = port or start.port(program)
    refuse_taken_port(start.host, port)
    server = _Server(
        "klucznik",
        address=start.host,
        port=port,
        interface=Interfaces.WSGI,
        runtime_mode=RuntimeModes.mt,
        # Threads beyond what the database pool serves would only wait for one another.
        blocking_threads=settings.threads,
        http=HTTPModes.auto if start.tls_certificate else HTTPModes.http1,
        http1_settings=HTTP1Settings(
            header_read_timeout=_HEADER_SECONDS * 1000, max_buffer_size=_BIGGEST_HEADERS
        ),
        websockets=False,
        log_level=LogLevels.error,
        ssl_cert=start.tls_certificate,
        ssl_key=start.tls_key,
        ssl_protocol_min=SSLProtocols.tls12,
        workers_kill_timeout=start.drain_seconds,
    )
    server.notice_seconds = start.drain_notice_seconds
    if until_stdin_closes:
        _stop_with_parent()
    serving = _Serving(chosen, settings, prepare=prepare)
    server.serve(spawn_target=serving.work, target_loader=serving.load, wrap_loader=False)


class _Server(MPServer):
    """Granian, which says «not ready» for a while before it stops taking requests."""

    notice_seconds = 0.0

    def shutdown(self, exit_code: int = 0) -> None:
        if self.notice_seconds:
            for worker in self.wrks:
                if worker.is_alive():  # type: ignore[no-untyped-call]
                    os.kill(worker.inner.pid, signal.SIGUSR1)
            time.sleep(self.notice_seconds)
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]


class _Serving:
    """What happens in the process that granian forks: load, serve, then finish the worker."""

    def __init__(self, program: Program, settings: Settings, *, prepare: bool) -> None:
        self._program = program
        self._settings = settings
        self._prepare = prepare
        self._worker: Any = None

    def load(self) -> WSGI:
        """The program, ready to serve. A reason not to start is a sentence and exit status 1."""
        try:
            return self._load()
        except KlucznikError as refused:
            sys.exit(f"klucznik serve {self._program.name}: {refused.detail}")

    def _load(self) -> WSGI:
        # What is loaded stays: looking for garbage in it again and again takes a tenth of a start.
        gc.disable()
        if self._prepare:
            prepare_program(self._program)
        app = load(self._program.app)(self._settings)
        _drain_when_told(app)
        if self._settings.production and self._program.refusals:
            refuse_to_start(load(self._program.refusals)(app))
        if self._settings.worker and self._program.worker:
            self._worker = load(self._program.worker)(app)
            self._worker.start()
        if self._settings.metrics_port:
            serve_own_metrics(self._settings.metrics_port)
        _collect_rarely()
        log.info("serving", threads=self._settings.threads, worker=self._settings.worker)
        wsgi: WSGI = load(self._program.fast_path)(app) if self._program.fast_path else app
        return wsgi

    def work(self, *arguments: Any) -> None:
        """Serve until the signal, finish open requests, then let the worker finish its delivery."""
        # Until the server sets its own, a signal must end us: nothing is being served yet.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # Before the first thread: all of them leave this signal to the one that waits for it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        _stop_as_orphan()
        _share_memory_between_threads()
        MPServer._spawn_wsgi_worker(*arguments)
        if self._worker is not None:
            self._worker.stop()
        log.info("stopped")


def settings_of(program: Program) -> Settings:
    """The settings of a program, read and checked."""
    settings: Settings = load(program.settings)()
    return settings


def prepare_program(program: Program) -> None:
    """Bring its database up to date and make what its first start needs."""
    load("klucznik.db:upgrade_program")(program)
    if program.prepare:
        load(program.prepare)()


def refuse_to_start(reasons: list[str]) -> None:
    """Raise Misconfigured when there is a reason."""
    if reasons:
        raise Misconfigured("production refuses to start: " + "; ".join(reasons))


def refuse_taken_port(host: str, port: int) -> None:
    """Raise Misconfigured where somebody listens already.

    The server shares ports between processes, so it would not notice.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as taken:
            raise Misconfigured(
                f"port {port} on {host} can't be had ({os.strerror(taken.errno or 0)}): "
                "stop what uses it, or set another one"
            ) from taken


def drain(app: Any) -> None:
    """Let `/readyz` say that requests should go elsewhere."""
    app.extensions["klucznik.health"].drain()


def serve_own_metrics(port: int) -> None:
    """Serve this process's counters, or raise Misconfigured where somebody listens already."""
    try:
        serve_metrics(port)
    except OSError as taken:
        raise Misconfigured(
            f"port {port} for metrics can't be had: set KLUCZNIK_METRICS_PORT (0: none)"
        ) from taken


def _share_memory_between_threads() -> None:
    """Let threads allocate from one common heap (glibc) instead of one each.

    Else each keeps gaps of its own where something large once stood. Python's own small objects
    come from elsewhere, under its lock, so nobody queues for this one.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _HEAPS)


def _collect_rarely() -> None:
    """Look for garbage among what requests leave, and not again and again in what was loaded."""
    # Nothing is collected first: of 240,000 objects 900 are garbage, and to find them takes 0.1 s.
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _YOUNG_ROUNDS, _MIDDLE_ROUNDS)
    gc.enable()


def _drain_when_told(app: Any) -> None:
    """Say «not ready» at SIGUSR1, at once: the server's main thread may be slow to hear of it."""

    def wait() -> None:
        signal.sigwait({signal.SIGUSR1})
        drain(app)

    threading.Thread(target=wait, name="drain", daemon=True).start()


def _stop_as_orphan() -> None:
    """Stop when the process that forked us was killed: nobody could tell us to stop any more."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="orphan", daemon=True).start()


def _stop_with_parent() -> None:
    """Stop when whoever started us is gone: the other end of our standard input closes then."""

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()
