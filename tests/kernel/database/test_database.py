"""Transactions: they commit whole, undo whole, and a writer never fails half-way."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from kernel.database import after_commit
from tests.kernel.tables import Country, db


def test_a_transaction_commits_at_its_end(kernel_app: Flask) -> None:
    with db.transaction() as session:
        session.add(Country(code="PL", name="Polska"))

    with db.reading() as session:
        assert session.get(Country, "PL")


def test_an_exception_undoes_everything(kernel_app: Flask) -> None:
    def fail() -> None:
        with db.transaction() as session:
            session.add(Country(code="PL", name="Polska"))
            session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    with db.reading() as session:
        assert session.get(Country, "PL") is None


def test_what_waits_for_the_commit_happens_after_it_and_not_after_a_rollback(
    kernel_app: Flask,
) -> None:
    seen: list[bool] = []

    def look() -> None:
        with db.reading() as other:
            seen.append(other.get(Country, "PL") is not None)

    def fail() -> None:
        with db.transaction() as session:
            after_commit(session, look)
            raise LookupError

    with db.transaction() as session:
        after_commit(session, look)
        session.add(Country(code="PL", name="Polska"))
    with pytest.raises(LookupError):
        fail()

    assert seen == [True]


@pytest.mark.security("15.2")
def test_writers_that_read_first_wait_for_each_other(kernel_app: Flask) -> None:
    with db.transaction() as session:
        session.add(Country(code="PL", name="0"))

    def count_up(_: int) -> None:
        with kernel_app.app_context(), db.transaction() as session:
            row = session.scalars(
                select(Country).where(Country.code == "PL").with_for_update()
            ).one()
            row.name = str(int(row.name) + 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_up, range(50)))

    with db.reading() as session:
        assert session.scalars(select(Country.name)).one() == "50"


def test_a_reading_session_commits_nothing(kernel_app: Flask) -> None:
    with db.transaction() as session:
        session.add(Country(code="PL", name="Polska"))
    try:
        with db.reading() as session:
            session.execute(update(Country).values(name="Poland"))
    except DBAPIError:
        pass  # PostgreSQL refuses at once; SQLite forgets at the end.

    with db.reading() as session:
        assert session.scalars(select(Country.name)).one() == "Polska"
