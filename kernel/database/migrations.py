"""Bringing a database to the tables that the code expects, with Alembic.

Each program has an environment of its own (`migrations/<program>`); this module runs it, and does
what every environment's `env.py` would otherwise repeat.
"""

from pathlib import Path

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, create_engine, pool, text
from sqlalchemy.engine import make_url

from kernel.database import connections
from kernel.database.tenancy import EVERYWHERE_ROLE
from kernel.settings import PROJECT_FOLDER

FOLDER = PROJECT_FOLDER / "migrations"
_WAIT_MILLISECONDS = 10_000


def configuration(program: str, url: str) -> Config:
    """Alembic's configuration for one program's database."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER / program))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config


def upgrade(program: str, url: str) -> None:
    """Bring this database to the newest revision; does nothing where it is there already."""
    _make_folder(url)
    command.upgrade(configuration(program, url), "head")


def revise(program: str, url: str, *, message: str, number: str) -> None:
    """Write a new revision from the difference between the tables and the code."""
    command.revision(configuration(program, url), message, autogenerate=True, rev_id=number)


def revisions(program: str, url: str) -> tuple[str | None, str | None]:
    """The revision that a database has, and the one that the code expects."""
    expected = ScriptDirectory.from_config(configuration(program, url)).get_current_head()
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision(), expected


def differences(url: str, metadata: MetaData) -> list[object]:
    """What a new migration would have to change: nothing, when all is well."""
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        migration = MigrationContext.configure(
            connection, opts={"compare_type": True, "target_metadata": metadata}
        )
        return list(compare_metadata(migration, metadata))


def run_environment(metadata: MetaData) -> None:
    """The body of an `env.py`: run the asked revisions in one transaction, but never for long."""
    url = context.config.attributes["url"]
    engine = create_engine(url, poolclass=pool.NullPool)
    # SQLite too then begins with our BEGIN, so that a failed revision leaves nothing behind.
    connections.prepare(engine)
    with engine.execution_options(**{connections.WRITES: True}).connect() as connection:
        _wait_no_longer(connection)
        context.configure(
            connection=connection,
            target_metadata=metadata,
            compare_type=True,
            render_as_batch=False,
            transactional_ddl=True,
            user_module_prefix="types.",
        )
        with context.begin_transaction():
            context.run_migrations()


def _wait_no_longer(connection: Connection) -> None:
    # A migration that waits for a lock stops everybody who comes after it.
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET lock_timeout = {_WAIT_MILLISECONDS}"))
        connection.commit()


def _make_folder(url: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)


def grant_use(engine: Engine, role: str) -> None:
    """Let a role that owns nothing read and write every table, now and later (PostgreSQL).

    With it comes the role in which work over all tenants is done (`tenancy.EVERYWHERE_ROLE`).
    """
    _let_use(engine, role)
    with engine.begin() as connection:
        # Roles are the cluster's: another program's database may be making it at this moment.
        connection.execute(
            text(
                f"DO $$ BEGIN CREATE ROLE {EVERYWHERE_ROLE} NOLOGIN NOBYPASSRLS;"
                " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            )
        )
    with engine.begin() as connection:
        is_member = text("SELECT pg_has_role(:role, :everywhere, 'MEMBER')")
        if not connection.scalar(is_member, {"role": role, "everywhere": EVERYWHERE_ROLE}):
            name = engine.dialect.identifier_preparer.quote(role)
            connection.execute(text(f"GRANT {EVERYWHERE_ROLE} TO {name}"))
    _let_use(engine, EVERYWHERE_ROLE)


def _let_use(engine: Engine, role: str) -> None:
    name = engine.dialect.identifier_preparer.quote(role)
    with engine.begin() as connection:
        for grant in (
            f"GRANT USAGE ON SCHEMA public TO {name}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA public "
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {name}",
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {name}",
        ):
            connection.execute(text(grant))
