"""Transactions: they commit whole, undo whole, and a writer never fails half-way."""

from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest
from flask import Flask
from sqlalchemy import Table, bindparam, select, text, update
from sqlalchemy.exc import DBAPIError

from kernel.database import HotStatement, after_commit, hot
from tests.conftest import ON_POSTGRESQL
from tests.kernel.tables import Country, db

RENAME = HotStatement(
    update(cast(Table, Country.__table__))
    .where(Country.code == bindparam("which"))
    .values(name=bindparam("new_name"))
    .returning(Country.name)
)


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


def _rename() -> str:
    with db.hot_statement() as changing:
        row = RENAME.first(changing, which="PL", new_name="Pologne")
    return str(row.name) if row is not None else ""


def test_a_statement_for_itself_has_happened_when_it_is_over(kernel_app: Flask):
    with db.transaction() as session:
        session.add(Country(code="PL", name="Polska"))
    heard = []

    with db.hot_statement() as changing:
        after_commit(changing, lambda: heard.append("committed"))
        RENAME.rows(changing, which="PL", new_name="Pologne")

    assert heard == ["committed"]
    with db.reading() as session:
        assert session.scalars(select(Country.name)).one() == "Pologne"


def test_a_change_that_can_not_be_tried_again_finds_a_lost_connection_first(
    kernel_app: Flask, monkeypatch: pytest.MonkeyPatch
):
    with db.transaction() as session:
        session.add(Country(code="PL", name="Polska"))
    assert _rename() == "Pologne"
    monkeypatch.setattr(hot, "_A_WHILE_SECONDS", -1.0)
    if ON_POSTGRESQL:
        with db.transaction() as session:
            session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    " AND usename = session_user"
                )
            )

    assert _rename() == "Pologne"
