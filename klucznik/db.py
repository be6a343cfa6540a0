"""`klucznik db`: the databases of the three programs.

On PostgreSQL two roles share the work: the owner, who migrates (`…_DATABASE_OWNER_URL`), and the
application's role, which owns nothing, so that row-level security holds for it.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import click
from sqlalchemy import URL, Connection, create_engine, make_url, pool, text
from sqlalchemy.exc import OperationalError

from kernel.command_line import json_option, say_json, say_table
from kernel.database import migrations
from kernel.errors import Misconfigured
from kernel.observability.logs import configure_logging
from klucznik.programs import PROGRAMS, Program
from klucznik.serve import settings_of
from klucznik.settings import StartSettings

program_option = click.option(
    "--program",
    "names",
    multiple=True,
    type=click.Choice(list(PROGRAMS)),
    help="Only this one; may be repeated.",
)


@dataclass(frozen=True)
class DatabaseStatus:
    """What a database has and what the code expects."""

    program: str
    database: str
    revision: str | None
    expected: str | None
    reachable: bool

    @property
    def is_current(self) -> bool:
        return self.reachable and self.revision == self.expected

    @property
    def sentence(self) -> str:
        if not self.reachable:
            return "not reachable"
        if self.is_current:
            return "up to date"
        return "empty: klucznik db init" if self.revision is None else "old: klucznik db upgrade"


@click.group()
def db() -> None:
    """Make, upgrade and look at the databases."""
    configure_logging("warning", program="klucznik")


@db.command()
@program_option
def init(names: tuple[str, ...]) -> None:
    """Make the databases and bring them to the newest tables.

    On PostgreSQL the owner's role makes a missing database, and a missing application role gets
    the password that the program's own address holds.
    """
    for program in _chosen(names):
        _make(program)
        upgrade_program(program)
        click.echo(f"{program.name}: ready")


@db.command()
@program_option
def upgrade(names: tuple[str, ...]) -> None:
    """Bring the databases to the newest tables. Programs may go on serving meanwhile."""
    for program in _chosen(names):
        upgrade_program(program)
        click.echo(f"{program.name}: up to date")


@db.command()
@program_option
@json_option
@click.pass_context
def status(context: click.Context, *, names: tuple[str, ...], as_json: bool) -> None:
    """Say what each database has. Exit status 1 when one is not up to date."""
    found = [status_of(program) for program in _chosen(names)]
    if as_json:
        say_json([asdict(one) | {"up_to_date": one.is_current} for one in found])
    else:
        say_table(
            ["program", "database", "revision", "expected", ""],
            [
                (one.program, one.database, one.revision, one.expected, one.sentence)
                for one in found
            ],
        )
    if not all(one.is_current for one in found):
        context.exit(1)


def upgrade_program(program: Program) -> None:
    """Migrate one program's database, and let its application role use the new tables."""
    url = database_url(program)
    owner = StartSettings().owner_url(program.name)
    migrations.upgrade(program.name, owner or url)
    if make_url(url).get_backend_name() == "postgresql":
        engine = create_engine(owner or url, poolclass=pool.NullPool)
        migrations.grant_use(engine, _role(make_url(url)))


def status_of(program: Program) -> DatabaseStatus:
    """Look at one program's database."""
    url = database_url(program)
    shown = make_url(url).render_as_string(hide_password=True)
    try:
        revision, expected = migrations.revisions(program.name, url)
    except OperationalError:
        return DatabaseStatus(program.name, shown, None, None, reachable=False)
    return DatabaseStatus(program.name, shown, revision, expected, reachable=True)


def database_url(program: Program) -> str:
    """The address of a program's database, with the role that the program uses."""
    url: str = settings_of(program).database_address  # type: ignore[attr-defined]
    return url


def _chosen(names: tuple[str, ...]) -> Iterator[Program]:
    return (program for program in PROGRAMS.values() if not names or program.name in names)


def _role(url: URL) -> str:
    if not url.username:
        raise Misconfigured("the database address names no role")
    return url.username


def _make(program: Program) -> None:
    """On PostgreSQL, make the database and the application's role where they are missing."""
    owner = StartSettings().owner_url(program.name)
    if not owner:
        return
    wanted, application = make_url(owner), make_url(database_url(program))
    cluster = create_engine(
        wanted.set(database="postgres"), poolclass=pool.NullPool, isolation_level="AUTOCOMMIT"
    )
    with cluster.connect() as connection:
        _make_role(connection, application)
        _make_database(connection, wanted.database or program.name)


def _make_role(connection: Connection, application: URL) -> None:
    role = _role(application)
    if connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}):
        return
    quote = connection.dialect.identifier_preparer.quote
    statement = f"CREATE ROLE {quote(role)} LOGIN NOSUPERUSER NOBYPASSRLS"
    if application.password:
        # CREATE ROLE takes no parameters; the server itself writes the literal.
        literal = connection.scalar(
            text("SELECT quote_literal(:password)"), {"password": str(application.password)}
        )
        statement += f" PASSWORD {literal}"
    connection.exec_driver_sql(statement.replace("%", "%%"))


def _make_database(connection: Connection, name: str) -> None:
    if connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}):
        return
    quote = connection.dialect.identifier_preparer.quote
    connection.exec_driver_sql(f"CREATE DATABASE {quote(name)}")
