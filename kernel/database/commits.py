"""One commit for the transactions that come at the same time, where there is one writer (SQLite).

Making a commit durable costs more than all that it commits. So whoever is done while others wait for
their turn leaves the commit to the next one, and is told when it has happened: nobody goes on before
their change is on the disk. Whoever joins others has a savepoint of their own, so that one who fails
undoes only what it did itself; when the commit fails, it failed for all.
"""

import sqlite3
import threading
from contextlib import suppress
from typing import Any, Self

from kernel.database import hot
from kernel.database.afterwards import committed
from kernel.database.hot import HotConnections, HotTransaction

_MOST = 32
_PATIENCE_SECONDS = 5
_A_WHILE_SECONDS = 0.5


class _Batch:
    """The transactions of one commit."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.turns = 0
        self.members = 0
        """Those whose changes it holds; who failed has none."""
        self.failure: Exception | None = None
        self.is_over = threading.Event()

    def run(self, sql: str) -> None:
        hot.run(self.connection.cursor(), sql, ())


class SharedCommits:
    """The turns of a process at writing. One of these serves an engine."""

    def __init__(self, connections: HotConnections) -> None:
        self._connections = connections
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._coming = 0
        self._open: _Batch | None = None

    def join(self) -> _Batch:
        """Wait for the turn, and begin."""
        self._count(+1)
        try:
            has_turn = self._turn.acquire(timeout=_PATIENCE_SECONDS)
        finally:
            self._count(-1)
        if not has_turn:
            raise sqlite3.OperationalError("database is locked")
        try:
            batch = self._open or self._begin()
        except Exception:
            self._turn.release()
            raise
        try:
            if batch.turns:
                batch.run("SAVEPOINT member")
        except Exception as failure:
            batch.failure = failure
            self._end(batch)
            raise
        return batch

    def leave(self, batch: _Batch, *, failed: bool) -> None:
        """End the turn; returns once the change is durable, or raises when it never will be."""
        try:
            # Before the first one there is nothing to keep: with them, all is undone.
            if batch.turns:
                if failed:
                    batch.run("ROLLBACK TO member")
                batch.run("RELEASE member")
        except Exception as failure:
            batch.failure = failure
        batch.turns += 1
        if not failed:
            batch.members += 1
        # Who failed doesn't wait for the next one, so they leave a batch to others' care only where
        # somebody waits; and however many fail, those who wait are kept no longer than by others.
        if batch.failure is None and batch.members and self._coming and batch.turns < _MOST:
            self._turn.release()
            while not failed and not batch.is_over.wait(_A_WHILE_SECONDS):
                # Whoever was to come lost patience.
                self._commit_if_nobody_comes()
        else:
            self._end(batch)
        if batch.failure is not None and not failed:
            raise batch.failure

    def _begin(self) -> _Batch:
        connection, _ = self._connections.take()
        batch = _Batch(connection)
        try:
            batch.run(self._connections.begin)
        except Exception:
            self._connections.give_back(connection)
            raise
        self._open = batch
        return batch

    def _end(self, batch: _Batch) -> None:
        """Commit for all, or undo for all; needs the turn, and gives it to the next."""
        self._open = None
        try:
            batch.run("COMMIT" if batch.members and batch.failure is None else "ROLLBACK")
        except Exception as failure:
            batch.failure = batch.failure or failure
            # Whatever became of the transaction: closing the connection ends it.
            with suppress(Exception):
                batch.connection.close()
        else:
            self._connections.give_back(batch.connection)
        self._turn.release()
        batch.is_over.set()

    def _count(self, difference: int) -> None:
        with self._counting:
            self._coming += difference

    def _commit_if_nobody_comes(self) -> None:
        if self._coming or not self._turn.acquire(blocking=False):
            return
        if self._open is not None:
            self._end(self._open)
        else:
            self._turn.release()


class SharedTransaction(HotTransaction):
    """A hot transaction that may share its commit."""

    def __init__(self, connections: HotConnections, commits: SharedCommits) -> None:
        super().__init__(connections)
        self._commits = commits

    def __enter__(self) -> Self:
        self._batch = self._commits.join()
        self._connection = self._batch.connection
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        self._commits.leave(self._batch, failed=failed is not None)
        if failed is None:
            committed(self)
