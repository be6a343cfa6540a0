"""Transactions that come together share a commit, and nothing else."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, cast
from unittest import mock

import pytest
from flask import Flask
from sqlalchemy import Table, bindparam, insert, select

from kernel import program
from kernel.database import HotStatement, after_commit, commits, hot
from kernel.database.commits import SharedCommits, SharedTransaction
from kernel.database.hot import HotConnections
from tests.kernel.tables import Country, db
from tests.statements import asked_of

COUNTRIES = cast(Table, Country.__table__)
ADD = HotStatement(insert(COUNTRIES).values(code=bindparam("new_code"), name=bindparam("new_code")))
ALL = HotStatement(select(COUNTRIES.c.code))


class Writers:
    """Threads that write; on either database, though only SQLite has need of it."""

    def __init__(self, app: Flask) -> None:
        self._connections: HotConnections = app.extensions["klucznik.database"].hot_writing
        self.commits = SharedCommits(self._connections)

    def begin(self) -> SharedTransaction:
        return SharedTransaction(self._connections, self.commits)

    def add(self, code: str, *, fails: bool = False) -> None:
        with self.begin() as transaction:
            ADD.rows(transaction, new_code=code)
            if fails:
                raise LookupError(code)

    def all_at_once(self, *acts: Callable[[], None]) -> list[BaseException | None]:
        """How these end that wait for their turn at the same time, while one has it."""
        waiting: list[Future[None]] = []
        with ThreadPoolExecutor(len(acts)) as pool, self.begin():
            waiting = [pool.submit(act) for act in acts]
            while self.commits._coming < len(acts):
                threading.Event().wait(0.001)
        return [each.exception() for each in waiting]


@pytest.fixture
def writers(kernel_app: Flask) -> Writers:
    return Writers(kernel_app)


def _codes() -> set[str]:
    with db.glancing() as glance:
        return {row.code for row in ALL.rows(glance)}


def test_all_that_wait_for_their_turn_are_committed_once(writers: Writers):
    with asked_of(db.engine) as asked:
        ends = writers.all_at_once(*[lambda n=n: writers.add(f"c{n}") for n in range(6)])

    assert ends == [None] * 6
    assert _codes() == {f"c{n}" for n in range(6)}
    assert asked.commits == 1


def test_nobody_goes_on_before_the_commit(kernel_app: Flask, writers: Writers):
    seen = []

    def add() -> None:
        with program.working_for(kernel_app), writers.begin() as transaction:
            ADD.rows(transaction, new_code="a")
            after_commit(transaction, lambda: seen.append(_codes()))

    writers.all_at_once(add, lambda: writers.add("b"))

    assert seen == [{"a", "b"}]


def test_one_that_fails_undoes_only_its_own(writers: Writers):
    ends = writers.all_at_once(
        lambda: writers.add("a"), lambda: writers.add("b", fails=True), lambda: writers.add("c")
    )

    assert [type(end) for end in ends] == [type(None), LookupError, type(None)]
    assert _codes() == {"a", "c"}


def test_who_fails_first_takes_nobody_along(writers: Writers):
    seconds: list[Future[None]] = []

    def fail_before_another(pool: ThreadPoolExecutor) -> None:
        with writers.begin() as transaction:
            ADD.rows(transaction, new_code="x")
            seconds.append(pool.submit(writers.add, "a"))
            while writers.commits._coming < 1:
                threading.Event().wait(0.001)
            raise LookupError

    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(LookupError):
            fail_before_another(pool)
        seconds[0].result(timeout=20)

    assert _codes() == {"a"}


def test_when_the_commit_fails_it_failed_for_all(writers: Writers):
    run = hot.run
    ends: list[BaseException | None] = []

    def full(cursor: Any, sql: str, parameters: Any) -> None:
        if sql == "COMMIT":
            raise sqlite3.OperationalError("database or disk is full")
        run(cursor, sql, parameters)

    def both() -> None:
        writers.add("a")

    with mock.patch.object(hot, "run", full), ThreadPoolExecutor(3) as pool:
        ends = [pool.submit(both).exception() for _ in range(2)]

    assert all(isinstance(end, sqlite3.OperationalError) for end in ends)
    assert _codes() == set()
    writers.add("again")
    assert _codes() == {"again"}


@pytest.mark.security("15.2")
def test_many_at_once_lose_nothing(writers: Writers):
    def some(first: int) -> None:
        for number in range(first, first + 5):
            writers.add(f"c{number}")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(some, range(0, 100, 5)))

    assert len(_codes()) == 100


def test_who_loses_patience_leaves_nobody_waiting(writers: Writers):
    """The one who was to commit gave up: the commit happens all the same."""
    writers.commits._count(+1)
    with ThreadPoolExecutor(1) as pool:
        left = pool.submit(writers.add, "a")
        while writers.commits._open is None:
            threading.Event().wait(0.001)
        writers.commits._count(-1)

        left.result(timeout=20)

    assert _codes() == {"a"}


def test_where_there_is_one_writer_commits_are_shared(kernel_app: Flask):
    is_shared = isinstance(db.hot_transaction(), SharedTransaction)

    assert is_shared == (db.engine.dialect.name == "sqlite")


@pytest.mark.security("18.6")
def test_however_many_fail_nobody_waits_longer_than_so_many_turns(writers: Writers):
    """Strangers can fail as often as they like, and must not keep a transaction open by it."""
    fails = [lambda: writers.add("x", fails=True)] * (commits._MOST + 10)
    run, said = hot.run, []

    def listen(cursor: Any, sql: str, parameters: Any) -> None:
        begins = sql.startswith(("BEGIN", "SAVEPOINT"))
        said.append("E" if sql in {"COMMIT", "ROLLBACK"} else "S" if begins else "")
        run(cursor, sql, parameters)

    with mock.patch.object(hot, "run", listen):
        ends = writers.all_at_once(lambda: writers.add("a"), *fails)

    assert ends[0] is None
    assert _codes() == {"a"}
    assert max(len(turns) for turns in "".join(said).split("E")) <= commits._MOST


def test_who_fails_alone_leaves_no_transaction_open(writers: Writers):
    """Nobody would end it: whoever was to come may have lost patience, and who failed is gone."""
    writers.commits._count(+1)
    with pytest.raises(LookupError):
        writers.add("x", fails=True)

    assert writers.commits._open is None
