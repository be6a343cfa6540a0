"""A small API about folders, on a real database."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import create_engine, pool

from tests.kernel.api.folders import NameGate, Program, a_program
from tests.kernel.tables import Base, db


@pytest.fixture
def gate() -> NameGate:
    """Who may what; tests change its windows."""
    return NameGate()


@pytest.fixture
def folders_app(make_database, gate) -> Iterator[Flask]:
    """The program that serves it."""
    app = a_program(make_database("kernel", _create_all), gate)
    with app.app_context():
        yield app
        db.engine.dispose()


@pytest.fixture
def writer(folders_app: Flask) -> Program:
    """A program that may read and write."""
    return Program(folders_app.test_client())


def _create_all(url: str) -> None:
    engine = create_engine(url, poolclass=pool.NullPool)
    Base.metadata.create_all(engine)
    engine.dispose()
