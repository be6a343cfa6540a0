import sqlite3

import psycopg.errors
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from kernel.database import passes_by_itself
from tests.kernel.tables import db

LOCKED = sqlite3.OperationalError("database is locked")


@pytest.mark.security("15.2", "18.1")
@pytest.mark.parametrize(
    "failure",
    [
        LOCKED,
        OperationalError("UPDATE", {}, LOCKED),
        NoConnectionFree("no connection free"),
        psycopg.errors.LockNotAvailable(),
        psycopg.errors.QueryCanceled(),
        OperationalError("UPDATE", {}, psycopg.errors.DeadlockDetected()),
        OperationalError("UPDATE", {}, psycopg.errors.AdminShutdown()),
    ],
    ids=repr,
)
def test_what_somebody_else_was_in_the_way_of_may_be_asked_again(failure):
    assert passes_by_itself(failure)


@pytest.mark.parametrize(
    "failure",
    [
        RuntimeError("database is locked"),
        OperationalError("SELECT", {}, sqlite3.OperationalError("no such table: people")),
        IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed")),
        ProgrammingError("SELECT", {}, psycopg.errors.UndefinedTable()),
    ],
    ids=repr,
)
def test_what_is_wrong_stays_wrong(failure):
    assert not passes_by_itself(failure)


def test_a_table_that_is_not_there_is_no_passing_trouble(kernel_app):
    with db.reading() as session, pytest.raises((OperationalError, ProgrammingError)) as failed:
        session.execute(text("SELECT 1 FROM nowhere"))

    assert not passes_by_itself(failed.value)
