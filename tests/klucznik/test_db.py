"""The databases of the programs, made and migrated by operators."""

import json
import os

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, make_url, pool, text

from klucznik.cli import klucznik
from klucznik.db import DatabaseStatus
from tests.conftest import ON_POSTGRESQL
from tests.programs import SECRETS


@pytest.fixture
def addresses(monkeypatch, tmp_path):
    """Addresses of databases that nobody has made yet."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"KLUCZNIK_{name.upper()}", value)
    if not ON_POSTGRESQL:
        for program in ("identity", "portal", "crm"):
            url = f"sqlite:///{tmp_path / 'databases' / program}.sqlite3"
            monkeypatch.setenv(f"KLUCZNIK_{program.upper()}_DATABASE_URL", url)
        yield
        return
    superuser = make_url(os.environ["KLUCZNIK_TEST_POSTGRESQL_URL"])
    names = {program: f"made_{program}_{os.getpid()}" for program in ("identity", "portal", "crm")}
    role = f"made_role_{os.getpid()}"
    for program, database in names.items():
        owner = superuser.set(database=database)
        used = owner.set(username=role, password="it's 100 % a secret")
        monkeypatch.setenv(
            f"KLUCZNIK_{program.upper()}_DATABASE_OWNER_URL", owner.render_as_string(False)
        )
        monkeypatch.setenv(f"KLUCZNIK_{program.upper()}_DATABASE_URL", used.render_as_string(False))
    yield
    cluster = create_engine(superuser, poolclass=pool.NullPool, isolation_level="AUTOCOMMIT")
    with cluster.connect() as connection:
        for database in names.values():
            connection.execute(text(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'))
        connection.execute(text(f'DROP ROLE IF EXISTS "{role}"'))


def run(*words, status=0):
    result = CliRunner().invoke(klucznik, ["db", *words])
    assert result.exit_code == status, (result.output, result.exception)
    return result.stdout


@pytest.mark.product("OPS-2", "OPS-3")
def test_databases_are_made_and_brought_up_to_date(addresses):
    before = json.loads(run("status", "--json", status=1))
    run("init")
    after = json.loads(run("status", "--json"))

    assert {one["program"]: one["up_to_date"] for one in before} == {
        "identity": False,
        "portal": False,
        "crm": False,
    }
    assert all(one["up_to_date"] for one in after)


@pytest.mark.product("OPS-3")
def test_doing_it_again_changes_nothing(addresses):
    run("init", "--program", "crm")
    before = run("status", "--program", "crm")

    run("init", "--program", "crm")
    run("upgrade", "--program", "crm")

    assert run("status", "--program", "crm") == before


def test_one_database_can_be_looked_at_alone(addresses):
    run("init", "--program", "portal")

    (status,) = json.loads(run("status", "--program", "portal", "--json"))

    assert status["program"] == "portal"
    assert status["revision"] == status["expected"]


@pytest.mark.security("17.2")
def test_a_status_shows_no_password(addresses):
    assert "it's" not in run("status", status=1)


@pytest.mark.parametrize(
    ("revision", "reachable", "says"),
    [
        ("0002", True, "up to date"),
        ("0001", True, "old: klucznik db upgrade"),
        (None, True, "empty: klucznik db init"),
        (None, False, "not reachable"),
    ],
)
def test_a_status_says_what_to_do(revision, reachable, says):
    status = DatabaseStatus("crm", "sqlite://", revision, "0002", reachable)

    assert status.sentence == says
    assert status.is_current == (says == "up to date")
