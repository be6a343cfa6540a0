"""The walls between tenants, below every query that a programmer may get wrong.

Every table with a `tenant_id` column is a tenant table. On PostgreSQL row-level security hides
the rows of others: `enable_row_level_security` in the table's migration, and what the transaction is
for said to the database when it begins. SQLite has no such thing, so there a hook looks at each
statement before it runs (`inspection`) and refuses one that would reach further than its transaction may.

A transaction is for one tenant; or for one person, who may read what is theirs in every tenant
(`OWN`); or for all tenants (`everywhere`): the operator, jobs, and statements that were looked at
beforehand (`inspection.why_refuse_prebuilt`). On PostgreSQL the last is a role of its own.
"""

from typing import Any, Protocol, cast

from sqlalchemy import Engine, MetaData, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session, SessionTransaction, UOWTransaction
from sqlalchemy.sql.elements import ClauseElement

from kernel.database import inspection
from kernel.database.scopes import NOWHERE, TENANT_COLUMN, OutOfTenant, Scope, tenant_tables

EVERYWHERE_ROLE = "klucznik_everywhere"
"""The PostgreSQL role of transactions for all tenants; the application's role is a member of it."""


_SCOPE = "klucznik.scope"


class TenantSession(Session):
    """A session whose statements are held to a scope."""

    def __init__(self, *args: Any, scope: Scope = NOWHERE, **options: Any) -> None:
        super().__init__(*args, **options)
        self.scope = scope
        self.is_flushing = False


@event.listens_for(TenantSession, "after_begin")
def _enter(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    scope = cast(TenantSession, session).scope
    connection.info[_SCOPE] = session
    if connection.dialect.name != "postgresql":
        return
    if scope.everywhere:
        connection.execute(text(f"SET LOCAL ROLE {EVERYWHERE_ROLE}"))
    elif scope.tenant is not None:
        connection.execute(_SET, {"name": "app.tenant", "value": scope.tenant})
    elif scope.person is not None:
        connection.execute(_SET, {"name": "app.person", "value": str(scope.person)})


_SET = text("SELECT set_config(:name, :value, true)")


@event.listens_for(TenantSession, "before_flush")
def _check_rows(session: Session, _flush: UOWTransaction, _instances: object) -> None:
    """Rows that are written as objects: their own column says whose they are.

    Their statements find the row by its primary key, so the statement hook lets them pass.
    """
    held = cast(TenantSession, session)
    for row in (*session.new, *session.dirty, *session.deleted):
        if not hasattr(type(row), TENANT_COLUMN) or held.scope.everywhere:
            continue
        if row.tenant_id != held.scope.tenant:
            raise OutOfTenant(f"a row of {type(row).__name__} belongs to another tenant")
    held.is_flushing = True


@event.listens_for(TenantSession, "after_flush")
def _rows_checked(session: Session, _flush: UOWTransaction) -> None:
    cast(TenantSession, session).is_flushing = False


@event.listens_for(TenantSession, "after_rollback")
def _flush_undone(session: Session) -> None:
    cast(TenantSession, session).is_flushing = False


def guard(engine: Engine, metadata: MetaData) -> None:
    """Let the statement hook watch this engine, where the database has no walls of its own."""
    guarded = tenant_tables(metadata)
    if engine.dialect.name != "sqlite" or not guarded:
        return
    verdicts = inspection.Verdicts(guarded)

    @event.listens_for(engine, "before_execute")
    def check(
        connection: Connection,
        statement: ClauseElement,
        multiparams: Any,
        params: Any,
        _execution_options: Any,
    ) -> None:
        session: TenantSession | None = connection.info.get(_SCOPE)
        if session is not None and session.is_flushing:
            return
        scope = session.scope if session is not None else NOWHERE
        refusal = verdicts.why_refuse(statement, _rows(multiparams, params), scope)
        if refusal:
            raise OutOfTenant(refusal)


def _rows(multiparams: Any, params: Any) -> list[dict[str, Any]]:
    return [*(multiparams or []), *([params] if params else [])]


_ROLE = text(
    "SELECT me.rolsuper OR me.rolbypassrls AS is_above, "
    "EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = 'public' AND tableowner = me.rolname) "
    "AS is_owner, COALESCE((SELECT pg_has_role(me.oid, other.oid, 'MEMBER') FROM pg_roles other "
    "WHERE other.rolname = :everywhere), false) AS is_member "
    "FROM pg_roles me WHERE me.rolname = current_user"
)


def why_no_walls(session: Session) -> str | None:
    """Say what is wrong with the role that a program uses on PostgreSQL, or None."""
    if session.get_bind().dialect.name != "postgresql":
        return None
    role = session.execute(_ROLE, {"everywhere": EVERYWHERE_ROLE}).one()
    if role.is_above:
        return (
            "its role is above row-level security, so nothing keeps accounts apart in the database"
        )
    if not role.is_member:
        return f"its role is no member of {EVERYWHERE_ROLE}, which tokens and the worker need"
    if role.is_owner:
        return "its role owns the tables: it could take the walls down"
    return None


class Operations(Protocol):
    """What a migration does things with, as far as it is needed: `alembic.op`.

    Serving programs never migrate, and Alembic takes long to load.
    """

    def get_bind(self) -> Connection:
        """The connection that is migrated."""

    def execute(self, sqltext: str, /) -> None:
        """Carry out a statement."""


def enable_row_level_security(operations: "Operations", table: str) -> None:
    """In a migration: hide the rows of other tenants, from the table's owner too (PostgreSQL)."""
    if operations.get_bind().dialect.name != "postgresql":
        return
    operations.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    operations.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
    for name, condition in (
        ("tenant", "tenant_id = NULLIF(current_setting('app.tenant', true), '')"),
        ("everywhere", f"current_user = '{EVERYWHERE_ROLE}'"),
    ):
        operations.execute(
            f'CREATE POLICY {name} ON "{table}" USING ({condition}) WITH CHECK ({condition})'
        )


def let_people_read(operations: "Operations", table: str, *, through: str | None = None) -> None:
    """In a migration: a person reads their own rows (PostgreSQL); the same as `OWN` in the model.

    `through` names the table that ties people to tenants, where this one only belongs to a tenant.
    """
    if operations.get_bind().dialect.name != "postgresql":
        return
    person = "NULLIF(current_setting('app.person', true), '')::uuid"
    condition = f"person_id = {person}"
    if through is not None:
        condition = (
            f'{person} IS NOT NULL AND EXISTS (SELECT 1 FROM "{through}" AS tie '  # noqa: S608
            f'WHERE tie.tenant_id = "{table}".tenant_id AND tie.person_id = {person})'
        )
    operations.execute(f'CREATE POLICY own ON "{table}" FOR SELECT USING ({condition})')


def let_people_read_no_more(operations: "Operations", table: str) -> None:
    """In a migration that is taken back: what `let_people_read` did, undone."""
    if operations.get_bind().dialect.name == "postgresql":
        operations.execute(f'DROP POLICY own ON "{table}"')
