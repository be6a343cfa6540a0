"""A database is brought to the tables that the code expects, by anybody, any number of times."""

from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, inspect, pool, text
from sqlalchemy.exc import OperationalError

from kernel.database import migrations
from tests.conftest import ON_POSTGRESQL, MakeDatabase


@pytest.fixture
def url(tmp_path: Path) -> str:
    """SQLite in a folder that is not there yet."""
    return f"sqlite:///{tmp_path / 'new' / 'portal.sqlite3'}"


def test_upgrading_makes_the_folder_the_file_and_the_tables(url, tmp_path):
    migrations.upgrade("portal", url)

    assert (tmp_path / "new" / "portal.sqlite3").exists()
    engine = create_engine(url, poolclass=pool.NullPool)
    assert "alembic_version" in inspect(engine).get_table_names()


def test_a_database_tells_its_revision_and_the_one_that_is_expected(url):
    migrations.upgrade("portal", url)
    at, expected = migrations.revisions("portal", url)

    assert at == expected
    assert at is not None


def test_an_empty_database_has_no_revision(url, tmp_path):
    (tmp_path / "new").mkdir()

    at, expected = migrations.revisions("portal", url)

    assert at is None
    assert expected is not None


def test_what_the_code_has_and_the_database_lacks_is_a_difference(url):
    migrations.upgrade("portal", url)
    metadata = MetaData()
    Table("one_more", metadata, Column("id", Integer, primary_key=True))

    found = migrations.differences(url, metadata)

    assert any("one_more" in str(difference) for difference in found)


def test_the_application_s_role_uses_the_tables_and_owns_none(make_database: MakeDatabase):
    """On PostgreSQL the tests themselves run under that role."""
    url = make_database("portal", lambda owner: migrations.upgrade("portal", owner))
    engine = create_engine(url, poolclass=pool.NullPool)

    with engine.connect() as connection:
        rows = connection.execute(text("SELECT count(*) FROM alembic_version")).scalar()
        owned = (
            connection.execute(
                text("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
            ).scalar()
            if ON_POSTGRESQL
            else 0
        )

    assert rows == 1
    assert owned == 0


FAILING = """
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.execute("CREATE TABLE half (id INTEGER PRIMARY KEY)")
    op.execute("INSERT INTO half VALUES (1)")
    op.execute("CREATE TABLE other (id INTEGER PRIMARY KEY)")
    op.execute("this is no SQL")
"""


def test_a_revision_that_fails_leaves_nothing_behind(url, tmp_path, monkeypatch):
    versions = tmp_path / "migrations" / "failing" / "versions"
    versions.mkdir(parents=True)
    (versions / "0001_failing.py").write_text(FAILING)
    (versions.parent / "env.py").write_text(
        "from sqlalchemy import MetaData\n"
        "from kernel.database.migrations import run_environment\n"
        "run_environment(MetaData())\n"
    )
    monkeypatch.setattr(migrations, "FOLDER", tmp_path / "migrations")

    with pytest.raises(OperationalError):
        migrations.upgrade("failing", url)

    engine = create_engine(url, poolclass=pool.NullPool)
    assert inspect(engine).get_table_names() == []
