import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, current_app
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from kernel import clock
from kernel.outbox import Job, Lane, Message, Undeliverable, Worker, queue
from kernel.outbox.lanes import CAPACITIES
from kernel.outbox.models import State
from kernel.outbox.queue import LEASE
from tests.kernel.ledger.events import write
from tests.kernel.outbox.messages import NOON, message, put, wait_until
from tests.kernel.second_process import race
from tests.kernel.tables import LedgerEntry, db, ledger, limits, outbox

TABLE = outbox.table


class Inbox:
    """A handler that remembers what it got, and fails when it is told to."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.failure: Exception | None = None

    def __call__(self, received: Message) -> None:
        self.got.append(received)
        if self.failure:
            raise self.failure

    @property
    def numbers(self) -> list[int]:
        return [received.payload["number"] for received in self.got]


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def worker(kernel_app: Flask, inbox: Inbox) -> Worker:
    return Worker(kernel_app, db, outbox, handlers={"note": inbox})


@pytest.fixture
def started(kernel_app: Flask) -> Iterator[Callable[..., Worker]]:
    """`started(handlers)`: a worker at work, stopped after the test."""
    workers: list[Worker] = []

    def start(handlers: dict[str, Any] | None = None, **options: Any) -> Worker:
        workers.append(Worker(kernel_app, db, outbox, handlers=handlers or {}, **options))
        workers[-1].start()
        return workers[-1]

    yield start
    for one in workers:
        one.stop()


def states() -> dict[str, int]:
    with db.reading() as session:
        rows = session.execute(select(TABLE.c.state, func.count()).group_by(TABLE.c.state))
        return dict(rows.all())


# One message


@pytest.mark.security("18.3")
def test_a_delivered_message_is_marked_and_wiped(worker, inbox):
    message_id = put(5)

    assert worker.run_once(NOON) == 1

    row = message(message_id)
    assert inbox.got == [Message(message_id, "note", {"number": 5}, NOON, None)]
    assert (row.state, row.payload, row.finished_at) == (State.DELIVERED, None, NOON)
    assert worker.run_once(NOON) == 0


@pytest.mark.security("18.3")
def test_a_failed_message_is_tried_again_later_by_the_same_id(worker, inbox):
    message_id = put()
    inbox.failure = TimeoutError()

    worker.run_once(NOON)
    row = message(message_id)
    worker.run_once(NOON)
    inbox.failure = None
    worker.run_once(row.due_at)

    assert (row.state, row.last_error) == (State.WAITING, "TimeoutError")
    assert timedelta(0) < row.due_at - NOON <= timedelta(seconds=1)
    assert [received.id for received in inbox.got] == [message_id, message_id]
    assert message(message_id).state == State.DELIVERED


@pytest.mark.security("18.3")
def test_an_expired_message_is_not_delivered(worker, inbox):
    message_id = put(expires_at=NOON + timedelta(minutes=10))

    worker.run_once(NOON + timedelta(minutes=10))

    assert inbox.got == []
    assert message(message_id).state == State.EXPIRED
    assert message(message_id).payload is None


@pytest.mark.security("18.3")
def test_a_message_that_never_works_ends_with_the_dead_ones(worker, inbox):
    message_id = put()
    inbox.failure = ConnectionError()

    moment = NOON
    while message(message_id).state == State.WAITING:
        moment = message(message_id).due_at
        worker.run_once(moment)

    assert len(inbox.got) == CAPACITIES[Lane.WEBHOOK].attempts
    assert message(message_id).state == State.DEAD
    assert moment - NOON > timedelta(hours=2)


@pytest.mark.security("18.3")
def test_what_trying_again_will_not_help_is_given_up_at_once(worker, inbox):
    message_id = put()
    inbox.failure = Undeliverable("gone")

    worker.run_once(NOON)

    assert len(inbox.got) == 1
    assert message(message_id).state == State.DEAD


def test_a_message_of_a_kind_that_nobody_handles_is_given_up(worker):
    message_id = put(kind="unheard-of")

    worker.run_once(NOON)

    assert message(message_id).state == State.DEAD


def test_a_message_that_was_altered_is_given_up(worker, inbox):
    message_id = put()
    with db.transaction() as session:
        session.execute(update(TABLE).values(payload=b"altered"))

    worker.run_once(NOON)

    assert inbox.got == []
    assert message(message_id).state == State.DEAD
    assert message(message_id).last_error == "CannotOpen"


@pytest.mark.security("17.2")
def test_the_words_of_a_failure_are_neither_kept_nor_logged(worker, inbox, capfd, caplog):
    message_id = put()
    inbox.failure = RuntimeError("canary: the whole token")

    worker.run_once(NOON)

    assert "canary" not in (message(message_id).last_error or "")
    logged = capfd.readouterr().out + caplog.text
    assert "retried" in logged
    assert "canary" not in logged


@pytest.mark.security("18.3")
def test_a_worker_that_died_before_marking_repeats_the_message_by_the_same_id(worker, inbox):
    message_id = put()
    (taken,) = queue.take(db, TABLE, Lane.WEBHOOK, {"a.example": 1}, now=NOON)
    sent_and_not_marked = taken.id

    worker.run_once(NOON)
    assert inbox.got == []
    worker.run_once(NOON + LEASE)

    assert [received.id for received in inbox.got] == [sent_and_not_marked] == [message_id]


# Lanes and destinations


@pytest.mark.security("9.2", "18.6")
def test_a_slow_destination_delays_nobody_else(started):
    release = threading.Event()
    began: list[int] = []
    got: list[int] = []

    def handle(received: Message) -> None:
        began.append(received.payload["number"])
        if received.payload.get("slow"):
            release.wait(60)
        got.append(received.payload["number"])

    started({"note": handle})
    threads = CAPACITIES[Lane.SECURITY].threads
    for number in range(threads + 4):
        put_now(number, Lane.SECURITY, f"slow-{number}.example", slow=True)
    wait_until(lambda: len(began) >= threads)

    put_now(99, Lane.SECURITY, "quick.example")
    wait_until(lambda: bool(got), seconds=50)
    first = list(got)
    release.set()

    assert first == [99]


@pytest.mark.security("18.6")
def test_a_slow_message_does_not_delay_another_lane(started):
    release = threading.Event()
    began, got = threading.Event(), list[str]()

    def handle(received: Message) -> None:
        if received.payload["slow"]:
            began.set()
            release.wait(60)
        got.append(received.payload["lane"])

    started({"note": handle})
    for number in range(10):
        put_now(number, Lane.MAIL, "smtp", slow=True, lane_name="mail")
    began.wait(50)

    put_now(0, Lane.SECURITY, "app.example", slow=False, lane_name="security")
    wait_until(lambda: bool(got), seconds=50)
    first = list(got)
    release.set()

    assert first == ["security"]


def put_now(number: int, lane: Lane, destination: str, **payload: Any) -> UUID:
    return put(
        lane=lane,
        destination=destination,
        payload={"number": number, "slow": False, "lane": payload.pop("lane_name", ""), **payload},
        now=clock.now(),
    )


@pytest.mark.security("18.6")
def test_a_thousand_mails_do_not_stand_before_a_block(started):
    got: list[str] = []
    with db.transaction() as session:
        for _ in range(1_000):
            outbox.put(
                session,
                lane=Lane.MAIL,
                kind="mail",
                destination="smtp",
                payload={},
                now=clock.now(),
            )
    release, began = threading.Event(), threading.Event()

    def mail(_: Message) -> None:
        began.set()
        release.wait(60)

    started({"mail": mail, "note": lambda _: got.append("block")})
    began.wait(50)

    put_now(0, Lane.SECURITY, "app.example")
    wait_until(lambda: bool(got), seconds=50)
    waiting = states()[State.WAITING]
    release.set()

    assert waiting > 0


def test_a_destination_in_trouble_is_asked_by_one_message_at_a_time(worker, inbox):
    inbox.failure = ConnectionError()
    for number in range(4):
        put(number, lane=Lane.MAIL, destination="smtp")

    worker.run_once(NOON)
    scout = worker._take(Lane.MAIL, NOON + timedelta(seconds=5), free=16)

    assert len(inbox.got) == 4
    assert len(scout) == 1


def test_destinations_in_trouble_never_fill_a_lane(started):
    release = threading.Event()
    calls: list[str] = []
    failing = True

    def handle(received: Message) -> None:
        calls.append(received.payload["to"])
        if received.payload["to"] == "well":
            return
        if failing:
            raise ConnectionError
        release.wait(60)

    one = started({"note": handle})
    half = CAPACITIES[Lane.WEBHOOK].most // 2
    for number in range(half * 3):
        put(payload={"to": f"ill-{number}"}, destination=f"{number}.example", now=clock.now())
    wait_until(lambda: len(calls) >= half * 3)
    failing = False
    wait_until(lambda: len(one._under_way) >= half // 2)
    time.sleep(2.5)

    put(payload={"to": "well"}, destination="well.example", now=clock.now())
    wait_until(lambda: "well" in calls, seconds=50)
    under_way = len(one._under_way)
    release.set()

    assert under_way <= half + 1


# Several workers, other processes


def handle_in_another_process(_number: int) -> list[str]:
    got: list[str] = []
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    one = Worker(app, db, outbox, handlers={"note": lambda received: got.append(str(received.id))})
    one.start()
    wait_until(lambda: set(states()) == {State.DELIVERED}, seconds=30)
    one.stop()
    return got


@pytest.mark.security("15.2", "18.3")
def test_two_workers_never_deliver_one_message_at_once(kernel_app):
    ids = {str(put(destination=f"{number % 5}.example", now=clock.now())) for number in range(60)}

    got = [each for share in race(handle_in_another_process, times=2) for each in share]

    assert sorted(got) == sorted(ids)


def put_from_another_process(_number: int) -> str:
    return str(put(now=clock.now()))


def test_a_message_of_another_process_is_heard_of(started, inbox):
    started({"note": inbox})

    ids = race(put_from_another_process, times=2)
    wait_until(lambda: len(inbox.got) == 2)

    assert sorted(str(received.id) for received in inbox.got) == sorted(ids)


def test_a_message_leaves_right_after_its_commit(started, inbox, monkeypatch):
    """The commit wakes the worker: nobody waits until it looks by itself."""
    one = started({"note": inbox})
    put(0, now=clock.now())
    wait_until(lambda: bool(inbox.got))
    monkeypatch.setattr("kernel.outbox.worker._POLL", 3600)
    monkeypatch.setattr("kernel.outbox.worker._POLL_WHEN_LISTENING", 3600)
    wait_until(lambda: not one._under_way)

    put(1, now=clock.now())

    wait_until(lambda: len(inbox.got) == 2)


# Starting and stopping


@pytest.mark.security("18.4")
def test_stopping_lets_what_is_under_way_end(kernel_app):
    began, stopping, ended = threading.Event(), threading.Event(), threading.Event()

    def handle(_: Message) -> None:
        began.set()
        stopping.wait(60)
        ended.set()

    one = Worker(kernel_app, db, outbox, handlers={"note": handle})
    one.start()
    message_id = put(now=clock.now())
    began.wait(50)

    threading.Timer(0.2, stopping.set).start()
    one.stop()

    assert ended.is_set()
    assert message(message_id).state == State.DELIVERED


@pytest.mark.security("18.4")
def test_stopping_does_not_wait_for_ever(kernel_app):
    release, began, ended = threading.Event(), threading.Event(), threading.Event()

    def handle(_: Message) -> None:
        began.set()
        release.wait(60)
        ended.set()

    one = Worker(kernel_app, db, outbox, handlers={"note": handle})
    one.start()
    put(now=clock.now())
    began.wait(50)

    one.stop(timeout=0.3)
    still_at_work = not ended.is_set()
    release.set()

    assert still_at_work


@pytest.mark.security("18.3")
def test_what_could_not_be_written_down_is_written_down_later_and_not_sent_again(
    started, inbox, monkeypatch
):
    """The database may be away for the moment in which a delivery ends."""
    failures = iter([OperationalError("", {}, Exception()), sqlite3.OperationalError("locked")])
    settle = queue.settle

    def settle_at_the_third_try(*arguments: Any) -> int:
        for failure in failures:
            raise failure
        return settle(*arguments)

    monkeypatch.setattr(queue, "settle", settle_at_the_third_try)
    started({"note": inbox})

    message_id = put(now=clock.now())
    wait_until(lambda: message(message_id).state == State.DELIVERED)

    assert len(inbox.got) == 1


def test_a_stopped_worker_takes_nothing_more(started, inbox):
    one = started({"note": inbox})
    one.stop()

    put(now=clock.now())
    time.sleep(0.3)

    assert inbox.got == []


def test_a_message_that_takes_long_is_held_on_to(started, monkeypatch):
    monkeypatch.setattr("kernel.outbox.worker._RENEW_EVERY", 0.1)
    release, calls = threading.Event(), []

    def handle(received: Message) -> None:
        calls.append(received.id)
        release.wait(60)

    started({"note": handle})
    message_id = put(now=clock.now())
    wait_until(lambda: bool(calls))
    first = message(message_id).due_at
    wait_until(lambda: message(message_id).due_at > first)
    release.set()

    assert calls == [message_id]


# Periodic jobs


@pytest.mark.security("17.1")
def test_the_ledger_is_sealed_within_a_second(started):
    one = started(ledger=ledger, limits=limits)
    [sealing] = [job for job in one._own_jobs(ledger, None) if job.name == "seal-ledger"]

    write(1)

    def is_sealed() -> bool:
        with db.reading() as session:
            return session.scalar(select(LedgerEntry.sequence)) is not None

    wait_until(is_sealed, seconds=50)
    assert sealing.every < timedelta(seconds=1)


def test_where_the_ledger_stands_is_said_in_the_log(kernel_app, capsys, caplog):
    write(1)

    Worker(kernel_app, db, outbox, handlers={}, ledger=ledger).run_once(NOON)

    head = ledger.newest_head(db)
    assert head is not None
    assert head in capsys.readouterr().out + caplog.text


def test_jobs_get_the_time_and_an_application(started):
    seen: list[tuple[datetime, str]] = []

    def look(now: datetime) -> None:
        seen.append((now, db.engine.dialect.name))

    started(jobs=[Job("look", timedelta(milliseconds=20), look)])
    wait_until(lambda: len(seen) >= 3)

    assert all(abs(now - clock.now()) < timedelta(seconds=10) for now, _ in seen)


def test_a_job_that_fails_comes_round_again(started):
    runs: list[datetime] = []

    def fail(now: datetime) -> None:
        runs.append(now)
        raise RuntimeError

    started(jobs=[Job("fail", timedelta(milliseconds=20), fail)])

    wait_until(lambda: len(runs) >= 3)


def test_jobs_run_at_once_where_they_are_asked_to(kernel_app):
    runs: list[datetime] = []
    jobs = [Job("count", timedelta(hours=1), runs.append)]

    Worker(kernel_app, db, outbox, handlers={}, jobs=jobs).run_once(NOON)

    assert runs == [NOON]


@pytest.mark.security("18.7")
def test_old_messages_are_forgotten(worker):
    put()
    worker.run_once(NOON)

    worker.run_once(NOON + timedelta(days=15))

    assert states() == {}
