"""How connections are opened: what SQLite and PostgreSQL need to be told."""

import sqlite3
from typing import Any, cast

from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import OperationalError

WRITES = "klucznik_writes"
_WAIT_MILLISECONDS = 5_000


def engine_options(url: str, *, pool_size: int) -> dict[str, Any]:
    """Options for SQLAlchemy's engine: bounded pools, and time limits on the server's side."""
    if make_url(url).get_backend_name() == "sqlite":
        return {
            "pool_size": pool_size,
            "max_overflow": 2,
            "connect_args": {"timeout": _WAIT_MILLISECONDS / 1000, "check_same_thread": False},
        }
    limits = f"-c statement_timeout={_WAIT_MILLISECONDS} -c lock_timeout={_WAIT_MILLISECONDS}"
    return {
        "pool_size": pool_size,
        "max_overflow": 2,
        "pool_timeout": _WAIT_MILLISECONDS / 1000,
        "pool_pre_ping": True,
        "connect_args": {"options": f"{limits} -c timezone=utc", "connect_timeout": 5},
    }


def prepare(engine: Engine) -> None:
    """Make this engine's connections durable and its transactions explicit."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions by its own rules; we say BEGIN ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: an acknowledged password change or token rotation survives a power cut.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={_WAIT_MILLISECONDS}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: one that first reads and then writes could be refused
    # half-way, for another's commit in between. Readers never wait.
    writes = connection.get_execution_options().get(WRITES, False)
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
    try:
        # On the driver's own connection: what SQLAlchemy does for a statement costs more than this.
        cast("sqlite3.Connection", connection.connection.dbapi_connection).execute(begin)
    except sqlite3.OperationalError as busy:
        raise OperationalError(begin, None, busy) from busy
