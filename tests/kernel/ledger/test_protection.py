"""The database refuses to change a ledger by itself, where somebody has no more than SQL."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask
from sqlalchemy import Engine, create_engine, pool, text
from sqlalchemy.exc import DBAPIError

from kernel.ledger import protect
from tests import conftest
from tests.kernel.ledger.events import NOON, tamper, write, write_and_seal
from tests.kernel.second_process import an_app
from tests.kernel.tables import Base, db, ledger

MakeDatabase = Callable[[str, Callable[[str], None]], str]


def build(url: str) -> None:
    engine: Engine = create_engine(url, poolclass=pool.NullPool)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        protect(Operations(MigrationContext.configure(connection)))
    engine.dispose()


@pytest.fixture(autouse=True)
def _protected(make_database: MakeDatabase) -> Iterator[Flask]:
    app = an_app(make_database("protected", build))
    with app.app_context():
        yield app
        db.engine.dispose()


@pytest.mark.security("17.1")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET result = 'failure'",
        "UPDATE ledger_entries SET sequence = 7",
        "UPDATE ledger_entries SET sequence = NULL, head = NULL, link = NULL",
        "DELETE FROM ledger_entries",
        "UPDATE ledger_heads SET sequence = 7",
        "DELETE FROM ledger_heads",
    ],
)
def test_what_is_sealed_can_not_be_changed_or_removed(statement):
    write_and_seal(2)

    with pytest.raises(DBAPIError, match="append-only"):
        tamper(statement)

    assert ledger.verify(db).ok


@pytest.mark.security("17.1")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET actor = 'mallory', sequence = 1, link = 'x'",
        "UPDATE ledger_entries SET actor = NULL",
        "DELETE FROM ledger_entries",
    ],
)
def test_what_waits_for_its_seal_can_not_be_changed_or_removed(statement):
    write(1)

    with pytest.raises(DBAPIError, match="append-only"):
        tamper(statement)


def test_a_protected_ledger_is_sealed_and_erased_as_ever():
    write_and_seal(3)
    with db.transaction() as session:
        erased = ledger.erase_personal(session, about="anna", by=None, at=NOON + timedelta(days=1))

    assert erased == 3
    assert ledger.seal(db, now=NOON) == 1
    assert ledger.verify(db).ok


def test_a_table_can_not_be_emptied_as_a_whole():
    """TRUNCATE passes by the triggers of rows; SQLite has no such word."""
    write_and_seal(1)
    statement = (
        "TRUNCATE ledger_entries" if conftest.ON_POSTGRESQL else "DELETE FROM ledger_entries"
    )

    with pytest.raises(DBAPIError), db.transaction() as session:
        session.execute(text(statement))
