"""Connections are durable and patient, and their pools are bounded, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from kernel.database import connections

POSTGRESQL = "postgresql+psycopg://somebody@db/identity"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """SQLite in a file, as one machine has it."""
    url = f"sqlite:///{tmp_path / 'one.sqlite3'}"
    made = create_engine(url, **connections.engine_options(url, pool_size=2))
    connections.prepare(made)
    yield made
    made.dispose()


@pytest.mark.security("18.8")
@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)],
)
def test_sqlite_is_told_to_be_durable_and_patient(engine, pragma, value):
    with engine.connect() as connection:
        assert connection.execute(text(f"PRAGMA {pragma}")).scalar() == value


@pytest.mark.security("18.8")
def test_a_writer_takes_the_lock_before_it_reads(engine):
    writing = engine.execution_options(**{connections.WRITES: True})
    with writing.connect() as first, first.begin(), engine.connect() as raw:
        raw.exec_driver_sql("PRAGMA busy_timeout=50")
        with pytest.raises(OperationalError, match="locked"):
            raw.execution_options(**{connections.WRITES: True}).exec_driver_sql("BEGIN IMMEDIATE")


@pytest.mark.security("18.8")
def test_a_writer_that_waits_in_vain_fails_as_every_statement_does(engine):
    writing = engine.execution_options(**{connections.WRITES: True})
    with writing.connect() as first, first.begin(), writing.connect() as second:
        driver = second.connection.driver_connection
        driver.execute("PRAGMA busy_timeout=1")

        with pytest.raises(OperationalError, match="locked"):
            second.begin()


def test_a_reader_does_not_wait_for_a_writer(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER)")
    writing = engine.execution_options(**{connections.WRITES: True})

    with writing.connect() as writer, writer.begin(), engine.connect() as reader:
        writer.exec_driver_sql("INSERT INTO t VALUES (1)")

        assert reader.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0


@pytest.mark.security("18.1")
def test_postgresql_waits_for_nothing_longer_than_five_seconds():
    options = connections.engine_options(POSTGRESQL, pool_size=8)

    assert options["pool_timeout"] == 5
    assert options["connect_args"]["connect_timeout"] == 5
    assert "statement_timeout=5000" in options["connect_args"]["options"]
    assert "lock_timeout=5000" in options["connect_args"]["options"]


@pytest.mark.security("18.1")
@pytest.mark.parametrize("url", [POSTGRESQL, "sqlite:////var/lib/klucznik/identity.sqlite3"])
def test_a_pool_is_bounded(url):
    options = connections.engine_options(url, pool_size=3)

    assert options["pool_size"] + options["max_overflow"] == 5
