"""The worker: delivers what the outbox holds, and does what comes round again and again.

It is a handful of threads beside a serving process, or a process of its own; several may work on
one database. One thread (the pump) takes messages out and writes down what became of them; each
delivery has a thread for itself, so a slow destination keeps nobody else waiting.
"""

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from kernel import clock
from kernel.crypto import CannotOpen
from kernel.database import Database
from kernel.jobs import Job, until_done
from kernel.ledger import Ledger
from kernel.limits import Limits
from kernel.observability.logs import get_logger
from kernel.observability.metrics import counter, gauge
from kernel.outbox import queue
from kernel.outbox.lanes import CAPACITIES, Lane
from kernel.outbox.models import State
from kernel.outbox.queue import Message, Settlement, Taken, Undeliverable
from kernel.outbox.service import CHANNEL, Outbox, bell_of, unseal, vault_of

Handler = Callable[[Message], None]

_log = get_logger(__name__)
_outcomes = counter("outbox_attempts_total", "Attempts to deliver", ["program", "lane", "outcome"])
_overdue = gauge("outbox_overdue_seconds", "Age of the oldest due message", ["program", "lane"])
_job_failures = counter("job_failures_total", "Periodic jobs that failed", ["program", "job"])

_POLL = 0.1
# With LISTEN a poll only finds what became due by itself.
_POLL_WHEN_LISTENING = 0.5
_RENEW_EVERY = 10.0
# How long stopping waits beyond its time for what is being written at that moment.
_LAST_WRITE = 1.0
# A delivery that takes longer no longer counts against its lane.
_SLOW = 1.0
_KEPT = timedelta(days=14)
_REMEMBERED_DESTINATIONS = 1_000


@dataclass(frozen=True)
class _UnderWay:
    message: Taken
    since: float


@dataclass(frozen=True)
class _Outcome:
    """What an attempt came to. It counts once it is written down."""

    settlement: Settlement
    name: str
    error: str | None = None


class Worker:
    """Delivers a program's outbox, and runs its periodic jobs: sealing, clean-ups, the caller's."""

    def __init__(
        self,
        app: Flask,
        db: Database,
        outbox: Outbox,
        *,
        handlers: Mapping[str, Handler],
        ledger: Ledger | None = None,
        limits: Limits | None = None,
        jobs: Iterable[Job] = (),
    ) -> None:
        self._app = app
        self._db = db
        self._table = outbox.table
        self._handlers = dict(handlers)
        self._jobs = [*self._own_jobs(ledger, limits), *jobs]
        self._bell = bell_of(app)
        self._stopping = threading.Event()
        self._listening = False
        self._threads: list[threading.Thread] = []
        self._changed = threading.Lock()
        self._under_way: list[_UnderWay] = []
        self._outcomes: list[_Outcome] = []
        self._drained_by = 0.0
        # Destinations that failed last time, so that they never fill a lane.
        self._troubled: OrderedDict[tuple[Lane, str], None] = OrderedDict()

    def start(self) -> None:
        """Begin to work, in threads of this process."""
        self._stopping.clear()
        loops: list[tuple[str, Callable[[], None]]] = [("outbox", self._pump)]
        loops += [(job.name, self._loop_over([job])) for job in self._jobs if _is_frequent(job)]
        loops.append(
            ("housekeeping", self._loop_over([j for j in self._jobs if not _is_frequent(j)]))
        )
        with self._app.app_context():
            if self._db.engine.dialect.name == "postgresql":
                loops.append(("outbox-listen", self._listen))
        self._threads = [
            threading.Thread(target=loop, name=f"{self._app.name}-{name}", daemon=True)
            for name, loop in loops
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 25.0) -> None:
        """Take nothing more, and let what is under way end and be written down."""
        self._drained_by = time.monotonic() + timeout
        self._stopping.set()
        self._bell.set()
        for thread in self._threads:
            thread.join(max(0.0, self._drained_by - time.monotonic()) + _LAST_WRITE)
        self._threads = []

    def run_once(self, now: datetime) -> int:
        """Deliver everything that is due and run every job, here and now; says how many messages.

        For the command line and for tests; needs no `start`.
        """
        count = self.deliver_once(now)
        with self._app.app_context():
            for job in self._jobs:
                job.run(now)
        return count

    def deliver_once(self, now: datetime) -> int:
        """Deliver everything that is due, and run no job."""
        count = 0
        with self._app.app_context():
            for lane in Lane:
                while taken := self._take(lane, now, free=CAPACITIES[lane].most):
                    for message in taken:
                        self._outcomes.append(self._attempt(message, lambda: now))
                    self._settle()
                    count += len(taken)
        return count

    # Taking

    def _pump(self) -> None:
        renewed = time.monotonic()
        while not self._stopping.is_set() or self._is_draining():
            self._bell.wait(_POLL_WHEN_LISTENING if self._listening else _POLL)
            self._bell.clear()
            try:
                with self._app.app_context():
                    self._settle()
                    if not self._stopping.is_set():
                        self._dispatch(clock.now())
                    if time.monotonic() - renewed > _RENEW_EVERY:
                        renewed = time.monotonic()
                        self._renew(clock.now())
            except Exception as failure:
                # The database is away or busy: nothing is lost, we ask again. Whatever it is, a
                # pump that ended for good would go unnoticed.
                _log.warning("outbox_unreachable", error=type(failure).__name__)
                time.sleep(_POLL)

    def _is_draining(self) -> bool:
        with self._changed:
            return bool(self._under_way) and time.monotonic() < self._drained_by

    def _renew(self, now: datetime) -> None:
        with self._changed:
            held = [each.message for each in self._under_way]
        queue.renew(self._db, self._table, held, now=now)

    def _dispatch(self, now: datetime) -> None:
        for lane in queue.lanes_with_something_due(self._db, self._table, now=now):
            free = self._free(lane)
            if free <= 0:
                continue
            for message in self._take(lane, now, free=free):
                with self._changed:
                    self._under_way.append(_UnderWay(message, time.monotonic()))
                threading.Thread(
                    target=self._run, args=(message,), name=f"deliver-{lane}", daemon=True
                ).start()

    def _free(self, lane: Lane) -> int:
        """Deliveries that may start: slow ones don't count, up to a bound on all of them."""
        now = time.monotonic()
        with self._changed:
            since = [each.since for each in self._under_way if each.message.lane is lane]
        quick = sum(1 for started in since if now - started < _SLOW)
        return min(CAPACITIES[lane].threads - quick, CAPACITIES[lane].most - len(since))

    def _take(self, lane: Lane, now: datetime, *, free: int) -> list[Taken]:
        with self._changed:
            busy = Counter(
                each.message.destination for each in self._under_way if each.message.lane is lane
            )
        most = CAPACITIES[lane].per_destination
        full = [destination for destination, count in busy.items() if count >= most]
        # Those that failed last time share half of the lane.
        places = CAPACITIES[lane].most // 2 - sum(
            1 for each in busy if self._is_troubled(lane, each)
        )
        if places <= 0:
            full += [destination for of, destination in list(self._troubled) if of is lane]
        wanted: dict[str, int] = {}
        for destination in queue.waiting_destinations(
            self._db, self._table, lane, now=now, without=full
        ):
            troubled = self._is_troubled(lane, destination)
            if free <= 0 or (troubled and places <= 0):
                continue
            # One message finds out whether a troubled destination is well again.
            wanted[destination] = 1 if troubled else min(most - busy[destination], free)
            free -= wanted[destination]
            places -= troubled
        if not wanted:
            return []
        return queue.take(self._db, self._table, lane, wanted, now=now)

    # Delivering

    def _run(self, message: Taken) -> None:
        with self._app.app_context():
            outcome = self._attempt(message, clock.now)
        with self._changed:
            self._outcomes.append(outcome)
        self._bell.set()

    def _attempt(self, message: Taken, now: Callable[[], datetime]) -> _Outcome:
        """Try once; says what it came to."""
        if message.is_expired(now()):
            return _Outcome(queue.finished(message, State.EXPIRED, now=now()), "expired")
        try:
            self._hand_over(message)
        except (Undeliverable, CannotOpen) as hopeless:
            return _given_up(message, hopeless, now())
        except Exception as failure:
            self._note_trouble(message, True)
            if message.attempts >= CAPACITIES[message.lane].attempts:
                return _given_up(message, failure, now())
            error = type(failure).__name__
            later = queue.tried_later(message, error=error, now=now())
            return _Outcome(later, "retried", error)
        self._note_trouble(message, False)
        return _Outcome(queue.finished(message, State.DELIVERED, now=now()), "delivered")

    def _hand_over(self, message: Taken) -> None:
        handler = self._handlers.get(message.kind)
        if handler is None:
            raise Undeliverable(f"nobody handles {message.kind}")
        handler(
            Message(
                id=message.id,
                kind=message.kind,
                payload=unseal(vault_of(self._app), message.id, message.sealed),
                created_at=message.created_at,
                expires_at=message.expires_at,
            )
        )

    def _settle(self) -> None:
        """Write down what attempts came to. Until that has worked they count as under way."""
        with self._changed:
            outcomes = list(self._outcomes)
        if not outcomes:
            return
        queue.settle(self._db, self._table, [outcome.settlement for outcome in outcomes])
        settled = {outcome.settlement.message.lease for outcome in outcomes}
        ids = {outcome.settlement.message.id for outcome in outcomes}
        with self._changed:
            del self._outcomes[: len(outcomes)]
            self._under_way = [
                each
                for each in self._under_way
                if not (each.message.id in ids and each.message.lease in settled)
            ]
        for outcome in outcomes:
            self._report(outcome)

    def _report(self, outcome: _Outcome) -> None:
        message = outcome.settlement.message
        _outcomes.labels(self._app.name, message.lane, outcome.name).inc()
        log = _log.warning if outcome.error else _log.info
        log(
            "outbox_attempt",
            message_id=str(message.id),
            lane=str(message.lane),
            kind=message.kind,
            destination=message.destination,
            outcome=outcome.name,
            attempt=message.attempts,
            error=outcome.error,
        )

    def _is_troubled(self, lane: Lane, destination: str) -> bool:
        return (lane, destination) in self._troubled

    def _note_trouble(self, message: Taken, troubled: bool) -> None:
        place = (message.lane, message.destination)
        with self._changed:
            self._troubled.pop(place, None)
            if troubled:
                self._troubled[place] = None
                if len(self._troubled) > _REMEMBERED_DESTINATIONS:
                    self._troubled.popitem(last=False)

    # Hearing of messages that other processes wrote

    def _listen(self) -> None:
        # On SQLite it is 7 MB for nothing.
        import psycopg  # noqa: PLC0415

        while not self._stopping.is_set():
            try:
                with self._app.app_context():
                    borrowed = self._db.engine.raw_connection()
                # It listens for as long as we work, so the pool gets a new one in its place.
                connection = cast("psycopg.Connection[Any]", borrowed.driver_connection)
                borrowed.detach()
                with connection:
                    connection.autocommit = True
                    connection.execute(f"LISTEN {CHANNEL}")
                    self._listening = True
                    self._bell.set()
                    while not self._stopping.is_set():
                        for _ in connection.notifies(timeout=0.5, stop_after=1):
                            self._bell.set()
            except (psycopg.Error, SQLAlchemyError) as failure:
                _log.warning("outbox_listen_lost", error=type(failure).__name__)
                self._stopping.wait(1.0)
            finally:
                self._listening = False

    # Jobs

    def _own_jobs(self, ledger: Ledger | None, limits: Limits | None) -> list[Job]:
        db, table = self._db, self._table
        jobs = [
            Job(
                "clean-outbox",
                timedelta(minutes=1),
                lambda now: until_done(lambda: queue.clean(db, table, before=now - _KEPT)),
            ),
            Job("measure-outbox", timedelta(seconds=5), self._measure),
        ]
        if limits is not None:
            jobs.append(
                Job(
                    "clean-limits",
                    timedelta(minutes=1),
                    lambda now: until_done(lambda: limits.clean(db, now=now)),
                )
            )
        if ledger is not None:
            jobs.append(
                Job(
                    "seal-ledger", timedelta(milliseconds=250), lambda now: ledger.seal(db, now=now)
                )
            )
            jobs.append(_log_heads(db, ledger))
        return jobs

    def _measure(self, now: datetime) -> None:
        for lane in Lane:
            oldest = queue.oldest_due(self._db, self._table, lane, now=now)
            age = (now - oldest).total_seconds() if oldest else 0.0
            _overdue.labels(self._app.name, lane).set(age)

    def _loop_over(self, jobs: list[Job]) -> Callable[[], None]:
        def loop() -> None:
            due = {job.name: time.monotonic() for job in jobs}
            while jobs and not self._stopping.is_set():
                for job in jobs:
                    if time.monotonic() >= due[job.name]:
                        self._run_job(job)
                        due[job.name] = time.monotonic() + job.every.total_seconds()
                self._stopping.wait(max(0.0, min(due.values()) - time.monotonic()))

        return loop

    def _run_job(self, job: Job) -> None:
        try:
            with self._app.app_context():
                job.run(clock.now())
        except Exception as failure:
            # The next round tries again; a job that ended for good would go unnoticed.
            _job_failures.labels(self._app.name, job.name).inc()
            _log.error("job_failed", job=job.name, error=type(failure).__name__)


def _given_up(message: Taken, failure: Exception, now: datetime) -> _Outcome:
    error = type(failure).__name__
    return _Outcome(queue.given_up(message, error=error, now=now), "dead", error)


def _is_frequent(job: Job) -> bool:
    return job.every < timedelta(seconds=1)


def _log_heads(db: Database, ledger: Ledger) -> Job:
    """The log is another place than the database: what it says of the ledger can't be put back."""
    known: list[str | None] = [None]

    def log(_now: datetime) -> None:
        head = ledger.newest_head(db)
        if head != known[0]:
            known[0] = head
            _log.info("ledger_head", head=head)

    return Job("log-ledger-head", timedelta(minutes=1), log)
