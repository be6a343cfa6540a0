"""What the code asks of a database: statements, commits, and rows that became objects.

with asked_of(db.engine) as asked:
    ...
assert asked.commits == 1
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from kernel.database import hot

_FRAMES = (
    *("BEGIN", "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"),
    *("SAVEPOINT member", "ROLLBACK TO member", "RELEASE member"),
    # Once for each connection, when it is opened.
    "SET plan_cache_mode = force_generic_plan",
    "SET default_transaction_read_only = on",
    "SET ROLE ",
)


@dataclass
class Asked:
    """What was asked, in order."""

    statements: list[str] = field(default_factory=list)
    commits: int = 0
    objects: list[str] = field(default_factory=list)
    """The mapped classes of which a row was loaded or written as an object."""
    runs: list[tuple[str, Any]] = field(default_factory=list)
    """Each statement as the driver took it, with its parameters."""

    @property
    def cost(self) -> tuple[int, int, int]:
        """Statements, commits, objects."""
        return len(self.statements), self.commits, len(self.objects)

    @property
    def kinds(self) -> list[str]:
        """What each statement does to which table, without its conditions."""
        return [statement.split(" WHERE")[0] for statement in self.statements]

    @property
    def selects(self) -> list[str]:
        return [statement for statement in self.statements if statement.startswith("SELECT")]

    @property
    def changes(self) -> list[str]:
        return [statement for statement in self.statements if not statement.startswith("SELECT")]


@contextmanager
def asked_of(engine: Engine) -> Iterator[Asked]:
    """Listen to this engine, and to the hot statements that run on the driver itself.

    What threads do that were there before is none of it; what those do that are started now, is.
    """
    asked = Asked()
    run, run_each = hot.run, hot.run_each
    # A worker that an earlier test started may still be on its way out.
    strangers = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}

    def note(sql: str, parameters: object = ()) -> None:
        if threading.get_ident() in strangers:
            return
        if not sql.startswith(_FRAMES):
            asked.statements.append(" ".join(sql.split()))
            asked.runs.append((sql, parameters))
        asked.commits += sql == "COMMIT"

    def on_driver(cursor: object, sql: str, parameters: object) -> None:
        note(sql, parameters)
        run(cursor, sql, parameters)

    def on_driver_each(cursor: object, sql: str, parameters: list[object]) -> None:
        note(sql, parameters[0])
        run_each(cursor, sql, parameters)

    def on_engine(
        _connection: object, _cursor: object, sql: str, parameters: object, *_: object
    ) -> None:
        note(sql, parameters)

    def on_commit(_connection: object) -> None:
        note("COMMIT")

    def on_object(_session: object, row: object) -> None:
        asked.objects.append(type(row).__name__)

    heard = (
        (engine, "before_cursor_execute", on_engine),
        (engine, "commit", on_commit),
        (Session, "loaded_as_persistent", on_object),
        (Session, "pending_to_persistent", on_object),
    )
    for target, name, listen in heard:
        event.listen(target, name, listen)
    try:
        with mock.patch.multiple(hot, run=on_driver, run_each=on_driver_each):
            yield asked
    finally:
        for target, name, listen in heard:
            event.remove(target, name, listen)
