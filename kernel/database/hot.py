"""Statements of the hottest requests: written in SQLAlchemy, compiled once, run on the driver itself.

A `HotStatement` runs in any session as every other statement does. In a `Glance` or a `HotTransaction`
(`Database.glancing`, `Database.hot_transaction`) it costs a tenth: SQL and types are known, and the
connection stays ours from one request to the next.
"""

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import Any, NamedTuple, Self, cast

from sqlalchemy import JSON, Engine, FromClause, MetaData, Table, bindparam, insert
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import Select
from sqlalchemy.types import TypeEngine

from kernel.database import inspection, tenancy
from kernel.database.afterwards import committed
from kernel.database.scopes import OutOfTenant, tenant_tables

_A_WHILE_SECONDS = 1.0

Made = Select[Any] | UpdateBase
Values = Mapping[str, Any]
Convert = Callable[[Any], Any]


class Glance:
    """A look at the database on a driver's connection, each statement for itself; never writes."""

    def __init__(self, connections: "HotConnections") -> None:
        self._connections = connections
        self.info: dict[Any, Any] = {}
        """What belongs to this look, as `Session.info` does to a session."""

    @property
    def dialect(self) -> str:
        return self._connections.engine.dialect.name

    def __enter__(self) -> Self:
        self._connection, self._is_fresh = self._connections.take()
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is None or not self._connections.is_lost(self._connection):
            self._connections.give_back(self._connection)

    def rows(self, statement: "HotStatement", values: Values) -> list[Any]:
        """Run a statement and return its rows."""
        prepared = statement.prepared_for(self._connections)
        try:
            return prepared.run(self._connection, values)
        except Exception:
            # A connection that waited may have ended meanwhile (the server was restarted).
            if self._is_fresh or not self._connections.is_lost(self._connection):
                raise
        self._connection, self._is_fresh = self._connections.take_new()
        return prepared.run(self._connection, values)


class HotTransaction:
    """A transaction on a driver's connection: commits at the end, undone when an exception leaves."""

    def __init__(self, connections: "HotConnections") -> None:
        self._connections = connections
        self.info: dict[Any, Any] = {}

    @property
    def dialect(self) -> str:
        return self._connections.engine.dialect.name

    def __enter__(self) -> Self:
        self._connection, is_fresh = self._connections.take()
        try:
            self._run(self._connections.begin)
        except Exception:
            if is_fresh or not self._connections.is_lost(self._connection):
                self._connections.give_back(self._connection)
                raise
            self._connection, _ = self._connections.take_new()
            self._run(self._connections.begin)
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        try:
            self._run("COMMIT" if failed is None else "ROLLBACK")
        except Exception:
            # Whatever became of the transaction: closing the connection ends it.
            with suppress(Exception):
                self._connection.close()
            if failed is None:
                raise
            return
        self._connections.give_back(self._connection)
        if failed is None:
            committed(self)

    def rows(self, statement: "HotStatement", values: Values) -> list[Any]:
        """Run a statement and return its rows."""
        prepared = statement.prepared_for(self._connections)
        return prepared.run(self._connection, values)

    def each(self, statement: "HotStatement", many: Iterable[Values]) -> None:
        """Run a statement once for each of these; what it returns is lost."""
        prepared = statement.prepared_for(self._connections)
        run_each(self._connection.cursor(), prepared.sql, [prepared.bind(one) for one in many])

    def _run(self, sql: str) -> None:
        run(self._connection.cursor(), sql, ())


class SingleStatement(HotTransaction):
    """One statement that is a transaction by itself: it is committed when it has run."""

    def __enter__(self) -> Self:
        self._connection = self._connections.take_tried()
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is None or not self._connections.is_lost(self._connection):
            self._connections.give_back(self._connection)
        if failed is None:
            committed(self)


Reads = Session | Glance | HotTransaction
"""Where a hot statement may run."""

Writes = Session | HotTransaction
"""Where one that writes may run."""


def dialect_of(at: Reads) -> str:
    """Which database answers here: `sqlite` or `postgresql`."""
    return at.get_bind().dialect.name if isinstance(at, Session) else at.dialect


class SessionNeeded(Exception):
    """What comes next is more than hot statements can do: leave, and begin again in a session."""


def as_session(at: Writes) -> Session:
    """The caller's session; raises SessionNeeded where there is none."""
    if isinstance(at, Session):
        return at
    raise SessionNeeded


class HotStatement:
    """A Core statement with named parameters; values that never change stand in it already.

    It may be given as what makes it, for tables whose foreign keys lead to packages that are not
    imported yet: until then the types of their columns are unknown.
    """

    def __init__(self, statement: Made | Callable[[], Made]) -> None:
        self._given = statement
        self._prepared: dict[str, _Prepared] = {}

    @cached_property
    def _reaches_tenants(self) -> bool:
        return inspection.reaches_tenants(self._statement)

    @classmethod
    def insert_into(cls, table: FromClause, *columns: str) -> Self:
        """A new row with these columns, each under its own name."""
        return cls(
            lambda: insert(cast(Table, table)).values({name: bindparam(name) for name in columns})
        )

    @cached_property
    def _statement(self) -> Made:
        given = self._given
        return given() if callable(given) else given

    def rows(self, at: Reads, /, **values: Any) -> list[Any]:
        """The rows, each with its columns as attributes."""
        return self._in_session(at, values) if isinstance(at, Session) else at.rows(self, values)

    def _in_session(self, session: Session, values: Values) -> list[Any]:
        connection = session.connection()
        if self._reaches_tenants:
            # The session's own way, with the walls in it: here it is for one tenant.
            answer = connection.execute(self._statement, values)
            return list(answer) if answer.returns_rows else []
        dialect = connection.dialect
        prepared = self._prepared.get(dialect.name)
        if prepared is None:
            prepared = self._prepared[dialect.name] = _prepare(self._statement, dialect)
        driver = cast(Any, dialect.dbapi)
        try:
            return prepared.run(connection.connection.driver_connection, values)
        except driver.Error as failure:
            raise DBAPIError.instance(
                prepared.sql, None, failure, driver.Error, hide_parameters=True, dialect=dialect
            ) from failure

    def each(self, transaction: HotTransaction, many: Iterable[Values]) -> None:
        """Change something once for each of these: the driver gets them all at once."""
        transaction.each(self, many)

    def first(self, at: Reads, /, **values: Any) -> Any | None:
        """The first row, or None."""
        rows = self.rows(at, **values)
        return rows[0] if rows else None

    def prepared_for(self, connections: "HotConnections") -> "_Prepared":
        """The statement as the driver of these connections takes it."""
        dialect = connections.engine.dialect
        prepared = self._prepared.get(dialect.name)
        if prepared is None:
            connections.check(self._statement)
            prepared = self._prepared[dialect.name] = _prepare(self._statement, dialect)
        return prepared


class HotConnections:
    """Connections that are kept for hot statements: as many as there are threads that use them."""

    def __init__(self, engine: Engine, metadata: MetaData, *, may_write: bool) -> None:
        self.engine = engine
        self.begin = "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else "BEGIN"
        self._may_write = may_write
        self._waiting: deque[tuple[Any, float]] = deque()
        """Each with the moment since which it waits."""
        self._guarded = tenant_tables(metadata)

    def take(self) -> tuple[Any, bool]:
        """A connection, and whether it is new."""
        try:
            return self._waiting.pop()[0], False
        except IndexError:
            return self.take_new()

    def take_tried(self) -> Any:
        """A connection that was at work a moment ago, or answers now.

        For a change that can't be tried again: without an answer, nobody knows if it happened.
        """
        try:
            connection, since = self._waiting.pop()
        except IndexError:
            return self.take_new()[0]
        if time.monotonic() - since > _A_WHILE_SECONDS:
            try:
                connection.execute("SELECT 1")
            except Exception:
                if not self.is_lost(connection):
                    raise
                return self.take_new()[0]
        return connection

    def take_new(self) -> tuple[Any, bool]:
        """A new connection, opened and told the same as every connection of the engine."""
        fairy = self.engine.raw_connection()
        connection = cast(Any, fairy.driver_connection)
        fairy.detach()
        if self.engine.dialect.name == "sqlite":
            if not self._may_write:
                connection.execute("PRAGMA query_only=ON")
        else:
            connection.autocommit = True
            # Planning a look-up takes longer than making it, and no value changes the plan.
            run(connection.cursor(), "SET plan_cache_mode = force_generic_plan", ())
            if not self._may_write:
                run(connection.cursor(), "SET default_transaction_read_only = on", ())
            if self._guarded:
                run(connection.cursor(), f"SET ROLE {tenancy.EVERYWHERE_ROLE}", ())
        return connection, True

    def give_back(self, connection: Any) -> None:
        self._waiting.append((connection, time.monotonic()))

    def is_lost(self, connection: Any) -> bool:
        """Whether the other end is gone."""
        return bool(getattr(connection, "closed", False))

    def check(self, statement: Select[Any] | UpdateBase) -> None:
        """Raise OutOfTenant for a tenant table that nothing ties to one tenant.

        The walls stand in sessions, none is here: so it is looked at before it ever runs.
        """
        refusal = inspection.why_refuse_prebuilt(statement, self._guarded)
        if refusal:
            raise OutOfTenant(refusal)

    def close(self) -> None:
        """Close what waits."""
        while self._waiting:
            with suppress(Exception):
                self._waiting.pop()[0].close()


class _Prepared(NamedTuple):
    """SQL, how values become parameters, how columns become attributes."""

    sql: str
    bind: Callable[[Values], Any]
    row: Callable[[Sequence[Any]], Any] | None

    def run(self, connection: Any, values: Values) -> list[Any]:
        cursor = connection.cursor()
        run(cursor, self.sql, self.bind(values))
        return [self.row(found) for found in cursor.fetchall()] if self.row is not None else []


def run(cursor: Any, sql: str, parameters: Any) -> None:
    """Let the driver run it. All hot statements pass here, so that tests can count them."""
    cursor.execute(sql, parameters)


def run_each(cursor: Any, sql: str, parameters: Any) -> None:
    """The same for a statement that runs with many rows of parameters: the other door."""
    cursor.executemany(sql, parameters)


def _prepare(statement: Select[Any] | UpdateBase, dialect: Dialect) -> _Prepared:
    compiled = statement.compile(dialect=dialect)
    binds = {
        compiled.bind_names[parameter]: (
            parameter.key,
            parameter.required,
            parameter.value,
            parameter.type.dialect_impl(dialect).bind_processor(dialect),
        )
        for parameter in compiled.bind_names
    }
    order = compiled.positiontup if compiled.positional else None
    columns = list(statement.exported_columns)
    return _Prepared(
        str(compiled),
        partial(_positional, [binds[name] for name in order])
        if order is not None
        else partial(_named, binds),
        _row_maker(columns, dialect) if columns else None,
    )


Bind = tuple[str, bool, Any, Convert | None]


# The two are run for every statement: what they share is written out in both.


def _positional(binds: Sequence[Bind], values: Values) -> list[Any]:
    return [
        (values[key] if required else fixed)
        if convert is None
        else convert(values[key] if required else fixed)
        for key, required, fixed, convert in binds
    ]


def _named(binds: Mapping[str, Bind], values: Values) -> dict[str, Any]:
    return {
        name: (values[key] if required else fixed)
        if convert is None
        else convert(values[key] if required else fixed)
        for name, (key, required, fixed, convert) in binds.items()
    }


def _row_maker(columns: Sequence[Any], dialect: Dialect) -> Callable[[Sequence[Any]], Any]:
    row_type = cast(Any, NamedTuple("Row", [(column.key, Any) for column in columns]))
    converts = [
        (position, convert)
        for position, column in enumerate(columns)
        if (convert := _reader(column.type, dialect))
    ]

    def make(found: Sequence[Any]) -> Any:
        values = list(found)
        for position, convert in converts:
            values[position] = convert(values[position])
        return row_type._make(values)

    return make


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """What makes a column's value of what the driver gives; None where it is the value."""
    if dialect.name == "sqlite" and isinstance(kind, JSON):
        return _json_from
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _json_from(text: str | None) -> Any:
    # We wrote the text, so there is nothing around it to be found out.
    return None if text is None else _read_json(text)[0]


_read_json = json.JSONDecoder().raw_decode
