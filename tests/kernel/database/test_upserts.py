"""Of two rows with one key the first stays, or says what the second changes."""

import pytest
from flask import Flask

from kernel.database import dialect_of, upsert
from tests.kernel.tables import Country, db


@pytest.fixture(autouse=True)
def _poland(kernel_app: Flask) -> None:
    with db.transaction() as session:
        session.add(Country(code="PL", name="Polska"))


def test_a_row_that_is_there_stays_as_it_was() -> None:
    with db.transaction() as session:
        statement = upsert(dialect_of(session), Country).on_conflict_do_nothing()
        session.execute(statement, [{"code": "PL", "name": "Poland"}, {"code": "LT", "name": "?"}])

    with db.reading() as session:
        assert {one.code: one.name for one in session.query(Country)} == {"PL": "Polska", "LT": "?"}


def test_a_row_that_is_there_takes_what_the_new_one_says() -> None:
    with db.transaction() as session:
        statement = upsert(dialect_of(session), Country).values(code="PL", name="Poland")
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["code"], set_={"name": statement.excluded.name}
            )
        )

    with db.reading() as session:
        assert session.query(Country).one().name == "Poland"
