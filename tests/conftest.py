"""The real database for every test: migrated once, then copied or emptied.

`KLUCZNIK_TEST_DATABASE` says which: `sqlite` (the default) or `postgresql`, and then
`KLUCZNIK_TEST_POSTGRESQL_URL` is the address of a superuser of a throw-away cluster.
Everything commits for real: nothing is undone behind the code's back.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from sqlalchemy import Engine, create_engine, make_url, pool, text

from kernel.database import migrations
from tests import once, programs, quick
from tests.log_secrecy import SecretWatch

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ON_POSTGRESQL = os.environ.get("KLUCZNIK_TEST_DATABASE", "sqlite") == "postgresql"
APPLICATION_ROLE = "klucznik_application"

# Whoever runs the tests may have an installation of their own: nothing of it is read here.
for _name in [name for name in os.environ if name.startswith("KLUCZNIK_")]:
    if not _name.startswith("KLUCZNIK_TEST_"):
        del os.environ[_name]
os.environ["KLUCZNIK_HOME"] = "/nonexistent/klucznik"

# The same examples on every machine, however slow: what is new is looked for by `make soak`.
settings.register_profile("steady", deadline=None, derandomize=True, database=None, print_blob=True)
settings.register_profile("exploring", deadline=None, database=None, print_blob=True)
settings.load_profile("exploring" if "KLUCZNIK_TEST_EXPLORING" in os.environ else "steady")

watch = SecretWatch()
watch.install()
quick.switch_on()

MakeDatabase = Callable[[str, Callable[[str], None]], str]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the run on the other database has proved for this one as well."""
    if not os.environ.get("KLUCZNIK_TEST_AGAIN"):
        return
    proved = [item for item in items if once.is_the_same_everywhere(item)]
    config.hook.pytest_deselected(items=proved)
    items[:] = [item for item in items if not once.is_the_same_everywhere(item)]


def pytest_collection_finish() -> None:
    """All tests are imported, and with them most of what they test."""
    quick.leave_alone_what_stays()


@pytest.fixture(autouse=True)
def _no_secret_is_logged() -> Iterator[None]:
    """What a test makes its program log holds none of the run's secrets."""
    watch.found()
    yield
    assert watch.found() == []


@pytest.fixture
def now() -> datetime:
    """Noon of the first of June 2026, in UTC."""
    return NOON


@pytest.fixture(scope="session")
def make_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeDatabase]:
    """`make_database("identity", build)`: the URL of a fresh, empty but built database.

    The first call of a name builds a template with `build(owner's URL)`; SQLite then copies that
    file, PostgreSQL empties the tables that have rows.
    """
    databases = _PostgreSQL() if ON_POSTGRESQL else _SQLite(tmp_path_factory.mktemp("databases"))
    yield databases.fresh
    databases.close()


class _SQLite:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: Path | None = None

    def fresh(self, name: str, build: Callable[[str], None]) -> str:
        template = self._folder / f"{name}.template"
        if not template.exists():
            build(f"sqlite:///{template}")
            with create_engine(f"sqlite:///{template}", poolclass=pool.NullPool).connect() as db:
                db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        copy = self._folder / f"{name}-{uuid.uuid4().hex}.sqlite3"
        shutil.copyfile(template, copy)
        return f"sqlite:///{copy}"

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


# Most tables are empty, and to truncate each of them takes longer than most tests.
_EMPTY = """
DO $$
DECLARE name text; has_rows boolean;
BEGIN
    FOR name IN
        SELECT quote_ident(tablename) FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO has_rows;
        IF has_rows THEN
            EXECUTE 'DELETE FROM ' || name;
        END IF;
    END LOOP;
    PERFORM setval(format('%I', sequencename)::regclass, start_value, false) FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$
"""


class _PostgreSQL:
    def __init__(self) -> None:
        self._superuser = make_url(os.environ["KLUCZNIK_TEST_POSTGRESQL_URL"])
        self._suffix = uuid.uuid4().hex[:8]
        self._made: dict[str, Engine] = {}

    def fresh(self, name: str, build: Callable[[str], None]) -> str:
        database = f"test_{name}_{self._suffix}"
        owner = self._superuser.set(database=database)
        if name not in self._made:
            with self._cluster() as cluster:
                cluster.execute(text(f'CREATE DATABASE "{database}"'))
                cluster.execute(
                    text(
                        f"DO $$ BEGIN CREATE ROLE {APPLICATION_ROLE} LOGIN NOBYPASSRLS;"
                        " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
                    )
                )
            build(owner.render_as_string(hide_password=False))
            # The owner's privilege: triggers that guard append-only tables stay asleep.
            asleep = {"options": "-c session_replication_role=replica"}
            self._made[name] = create_engine(owner, pool_size=1, connect_args=asleep)
            migrations.grant_use(self._made[name], APPLICATION_ROLE)
        self._empty(self._made[name])
        application = owner.set(username=APPLICATION_ROLE, password=None)
        return application.render_as_string(hide_password=False)

    def _empty(self, engine: Engine) -> None:
        with engine.begin() as connection:
            connection.execute(text(_EMPTY))

    def _cluster(self):
        engine = create_engine(
            self._superuser, poolclass=pool.NullPool, isolation_level="AUTOCOMMIT"
        )
        return engine.connect()

    def close(self) -> None:
        with self._cluster() as cluster:
            for name, engine in self._made.items():
                engine.dispose()
                cluster.execute(
                    text(f'DROP DATABASE IF EXISTS "test_{name}_{self._suffix}" WITH (FORCE)')
                )


@pytest.fixture
def kernel_app(make_database: MakeDatabase) -> Iterator[Flask]:
    """A small application over the tables of `tests/kernel/tables.py`."""
    yield from programs.kernel(make_database)


@pytest.fixture
def identity_app(make_database: MakeDatabase) -> Iterator[Flask]:
    """The identity program on a fresh database. Its worker is not started."""
    yield from programs.identity(make_database)


@pytest.fixture
def identity_client(identity_app: Flask) -> FlaskClient:
    """A browser without a single cookie, in front of the identity program."""
    return identity_app.test_client()


@pytest.fixture
def portal_app(make_database: MakeDatabase) -> Iterator[Flask]:
    """The portal on a fresh database."""
    yield from programs.portal(make_database)


@pytest.fixture
def crm_app(make_database: MakeDatabase) -> Iterator[Flask]:
    """The CRM on a fresh database."""
    yield from programs.crm(make_database)
