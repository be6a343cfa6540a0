"""One database of one program: transactions for use cases, on Flask-SQLAlchemy's engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, event, text
from sqlalchemy.orm import DeclarativeBase, Session

from kernel import program
from kernel.database import connections, tenancy
from kernel.database.afterwards import committed
from kernel.database.commits import SharedCommits, SharedTransaction
from kernel.database.hot import Glance, HotConnections, HotTransaction, Reads, SingleStatement
from kernel.database.scopes import Scope

_EXTENSION = "klucznik.database"


@dataclass(frozen=True)
class _Engines:
    writing: Engine
    reading: Engine
    hot_writing: HotConnections
    hot_reading: HotConnections
    commits: SharedCommits | None
    """Where there is one writer at a time."""

    def close_hot(self, _engine: Engine) -> None:
        self.hot_writing.close()
        self.hot_reading.close()


class Database(SQLAlchemy):
    """Gives use cases their transactions. Needs an application context, as a request has.

    Flask-SQLAlchemy's scoped `session` is left alone: a transaction here begins and ends in sight.
    """

    def __init__(self, base: type[DeclarativeBase]) -> None:
        super().__init__(model_class=base, disable_autonaming=True)

    def attach(self, app: Flask, url: str, *, pool_size: int) -> None:
        """Tie this database to an application; `url` is SQLAlchemy's."""
        app.config["SQLALCHEMY_DATABASE_URI"] = url
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = connections.engine_options(
            url, pool_size=pool_size
        )
        self.init_app(app)
        with app.app_context():
            engine = self.engine
            connections.prepare(engine)
            tenancy.guard(engine, self.metadata)
            hot_writing = HotConnections(engine, self.metadata, may_write=True)
            app.extensions[_EXTENSION] = _Engines(
                writing=engine.execution_options(**{connections.WRITES: True}),
                reading=engine.execution_options(postgresql_readonly=True)
                if engine.dialect.name == "postgresql"
                else engine,
                hot_writing=hot_writing,
                hot_reading=HotConnections(engine, self.metadata, may_write=False),
                commits=SharedCommits(hot_writing) if engine.dialect.name == "sqlite" else None,
            )
            event.listen(engine, "engine_disposed", app.extensions[_EXTENSION].close_hot)

    @contextmanager
    def transaction(
        self, *, tenant: str | None = None, everywhere: bool = False
    ) -> Iterator[Session]:
        """A session that commits at the end, or undoes everything when an exception leaves.

        With a `tenant`, the rows of that account can be reached, and no others; `everywhere`, those
        of all, which is for the operator and for jobs; without either, no tenant table can be.
        """
        scope = Scope(tenant=tenant, everywhere=everywhere)
        with (
            tenancy.TenantSession(
                _engines().writing, expire_on_commit=False, scope=scope
            ) as session,
            session.begin(),
        ):
            yield session
        committed(session)

    @contextmanager
    def reading(
        self, *, tenant: str | None = None, person: UUID | None = None, everywhere: bool = False
    ) -> Iterator[Session]:
        """A session that may only read: what a transaction could, or what is a person's own."""
        scope = Scope(tenant=tenant, person=person, everywhere=everywhere)
        with tenancy.TenantSession(
            _engines().reading, expire_on_commit=False, autoflush=False, scope=scope
        ) as session:
            yield session

    @contextmanager
    def reading_at(self, at: Reads) -> Iterator[Session]:
        """The session of who reads already; beside a glance, one that may only read."""
        if isinstance(at, Session):
            yield at
            return
        with self.reading() as session:
            yield session

    def glancing(self) -> Glance:
        """A look without a session, for hot statements: `with db.glancing() as glance`."""
        return Glance(_engines().hot_reading)

    def hot_transaction(self) -> HotTransaction:
        """A transaction without a session, for hot statements."""
        engines = _engines()
        if engines.commits is None:
            return HotTransaction(engines.hot_writing)
        return SharedTransaction(engines.hot_writing, engines.commits)

    def hot_statement(self) -> HotTransaction:
        """For one hot statement that changes something, where that is a whole transaction.

        On SQLite it shares a commit; elsewhere the statement commits by itself, in one round.
        """
        engines = _engines()
        if engines.commits is None:
            return SingleStatement(engines.hot_writing)
        return SharedTransaction(engines.hot_writing, engines.commits)

    def is_reachable(self) -> bool:
        """Whether the database answers; for the readiness check."""
        with self.reading() as session:
            return session.execute(text("SELECT 1")).scalar() == 1


def _engines() -> _Engines:
    engines: _Engines = program.extensions()[_EXTENSION]
    return engines
