"""`klucznik worker`: deliver what the programs put into their outboxes, in a process of its own."""

import signal
import threading
from types import FrameType

import click

from kernel.observability.logs import configure_logging, get_logger
from klucznik import production
from klucznik.programs import PROGRAMS, Worker, load
from klucznik.serve import refuse_to_start, serve_own_metrics, settings_of
from klucznik.settings import StartSettings

log = get_logger(__name__)


@click.command()
@click.argument("programs", nargs=-1, type=click.Choice(list(PROGRAMS)))
def worker(programs: tuple[str, ...]) -> None:
    """Deliver mails, events and logout tokens of PROGRAMS (all of them, if none is named).

    For installations whose serving processes have KLUCZNIK_WORKER=false. Any number may run: a
    message is leased by one of them.
    """
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    names = [name for name in programs or PROGRAMS if PROGRAMS[name].worker]
    if not names:
        raise click.UsageError(f"{', '.join(programs)}: there is nothing to deliver")
    metrics_port = StartSettings().metrics_port
    if metrics_port:
        serve_own_metrics(metrics_port)
    workers = [_start(name) for name in names]
    log.info("working", programs=names)
    stopping.wait()
    for one in workers:
        one.stop()
    log.info("stopped")


def _start(name: str) -> Worker:
    program = PROGRAMS[name]
    settings = settings_of(program)
    configure_logging(settings.log_level, program="worker")
    refuse_to_start(production.refusals(program, settings))
    made: Worker = load(program.worker)(load(program.app)(settings))
    made.start()
    return made
