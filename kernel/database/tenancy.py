"""The walls between tenants, below every query that a programmer may get wrong.

Every table with a `tenant_id` column is a tenant table. On PostgreSQL row-level security hides
the rows of others: `enable_row_level_security` in the table's migration, and `app.tenant` set in
each transaction. SQLite has no such thing, so there a hook looks at each statement before it runs
and refuses one on a tenant table that is not held to the transaction's tenant.
"""

from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID

from alembic.operations import Operations
from sqlalchemy import Delete, Engine, Insert, MetaData, Select, Table, Update, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session, SessionTransaction, UOWTransaction
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, ClauseElement
from sqlalchemy.sql.schema import Column

from kernel.errors import KlucznikError

TENANT_COLUMN = "tenant_id"
_SCOPE = "klucznik.scope"


class OutOfTenant(KlucznikError):
    """A statement would have reached a tenant's rows without being held to that tenant."""


class _Scope:
    """What the statements of one transaction are held to."""

    def __init__(self, tenant: UUID | None) -> None:
        self.tenant = tenant
        self.flushing = False


class TenantSession(Session):
    """A session for one tenant, or for none."""

    def __init__(self, *args: Any, tenant: UUID | None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.scope = _Scope(tenant)


@event.listens_for(TenantSession, "after_begin")
def _enter(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    scope = cast(TenantSession, session).scope
    connection.info[_SCOPE] = scope
    if scope.tenant is not None and connection.dialect.name == "postgresql":
        connection.execute(
            text("SELECT set_config('app.tenant', :tenant, true)"), {"tenant": str(scope.tenant)}
        )


@event.listens_for(TenantSession, "before_flush")
def _check_rows(session: Session, _flush: UOWTransaction, _instances: object) -> None:
    """Rows that are written as objects: their own column says whose they are.

    Their statements find the row by its primary key, so the statement hook lets them pass.
    """
    scope = cast(TenantSession, session).scope
    for row in (*session.new, *session.dirty, *session.deleted):
        if hasattr(type(row), TENANT_COLUMN) and row.tenant_id != scope.tenant:
            raise OutOfTenant(f"a row of {type(row).__name__} belongs to another tenant")
    scope.flushing = True


@event.listens_for(TenantSession, "after_flush")
def _rows_checked(session: Session, _flush: UOWTransaction) -> None:
    cast(TenantSession, session).scope.flushing = False


@event.listens_for(TenantSession, "after_rollback")
def _flush_undone(session: Session) -> None:
    cast(TenantSession, session).scope.flushing = False


def tenant_tables(metadata: MetaData) -> frozenset[Table]:
    """The tables whose rows belong to one tenant each."""
    return frozenset(table for table in metadata.tables.values() if TENANT_COLUMN in table.c)


def guard(engine: Engine, metadata: MetaData) -> None:
    """Let the statement hook watch this engine, where the database has no walls of its own."""
    guarded = tenant_tables(metadata)
    if engine.dialect.name != "sqlite" or not guarded:
        return

    @event.listens_for(engine, "before_execute")
    def check(
        connection: Connection,
        statement: ClauseElement,
        multiparams: Any,
        params: Any,
        _execution_options: Any,
    ) -> None:
        scope: _Scope | None = connection.info.get(_SCOPE)
        if scope is not None and scope.flushing:
            return
        tenant = scope.tenant if scope is not None else None
        refusal = why_refuse(statement, _rows(multiparams, params), guarded, tenant)
        if refusal:
            raise OutOfTenant(refusal)


def why_refuse(
    statement: ClauseElement,
    rows: list[dict[str, Any]],
    guarded: frozenset[Table],
    tenant: UUID | None,
) -> str | None:
    """Say why this statement may not run for this tenant, or None when it may.

    Every tenant table that a statement names must be compared for equality with the tenant, or
    with the tenant column of a table that is.
    """
    if isinstance(statement, Insert) and statement.table in guarded:
        return _why_refuse_insert(statement, rows, tenant)
    if not isinstance(statement, Select | Update | Delete | Insert) and not hasattr(
        statement, "selects"
    ):
        return None
    touched = {part for part in visitors.iterate(statement) if part in guarded}
    if isinstance(statement, Update | Delete) and statement.table in guarded:
        touched.add(statement.table)
    if not touched:
        return None
    if tenant is None:
        return f"no tenant was named, and the statement touches {_names(touched)}"
    open_tables = touched - _held(statement, rows, tenant)
    return f"{_names(open_tables)} is not held to the tenant" if open_tables else None


def _why_refuse_insert(
    statement: Insert, rows: list[dict[str, Any]], tenant: UUID | None
) -> str | None:
    compiled = statement.compile().params
    for row in rows or [{}]:
        value = row.get(TENANT_COLUMN, compiled.get(TENANT_COLUMN))
        if tenant is None or value != tenant:
            return f"a row for {statement.table} names another tenant"
    return None


def _held(statement: ClauseElement, rows: list[dict[str, Any]], tenant: UUID) -> set[Table]:
    """The tables whose tenant column is tied to the tenant, directly or through another table."""
    held: set[Table] = set()
    ties: list[tuple[Table, Table]] = []
    for comparison in _equalities(statement):
        left, right = comparison.left, comparison.right
        if _is_tenant_column(right) and not _is_tenant_column(left):
            left, right = right, left
        if not _is_tenant_column(left):
            continue
        table = cast("Column[Any]", left).table
        if _is_tenant_column(right):
            ties.append((table, cast("Column[Any]", right).table))
        elif isinstance(right, BindParameter) and _value(right, rows) == tenant:
            held.add(table)
    for _ in ties:
        for one, other in ties:
            if one in held or other in held:
                held |= {one, other}
    return held


def _equalities(statement: ClauseElement) -> Iterator["BinaryExpression[Any]"]:
    """Comparisons that every row of the answer has passed: none of those below OR or NOT."""
    pending: list[Any] = [statement]
    while pending:
        part = pending.pop()
        operator = getattr(part, "operator", None)
        if isinstance(part, BinaryExpression):
            if operator is operators.eq:
                yield part
            continue
        if operator in (operators.or_, operators.inv):
            continue
        pending.extend(part.get_children())


def _is_tenant_column(element: Any) -> bool:
    return isinstance(element, Column) and element.key == TENANT_COLUMN


def _value(parameter: "BindParameter[Any]", rows: list[dict[str, Any]]) -> Any:
    return rows[0].get(parameter.key, parameter.value) if rows else parameter.effective_value


def _rows(multiparams: Any, params: Any) -> list[dict[str, Any]]:
    return [*(multiparams or []), *([params] if params else [])]


def _names(tables: set[Table]) -> str:
    return ", ".join(sorted(table.name for table in tables))


def enable_row_level_security(operations: Operations, table: str) -> None:
    """In a migration: hide the rows of other tenants, from the table's owner too (PostgreSQL)."""
    if operations.get_bind().dialect.name != "postgresql":
        return
    tenant = "NULLIF(current_setting('app.tenant', true), '')::uuid"
    operations.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    operations.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
    operations.execute(
        f'CREATE POLICY tenant ON "{table}" '
        f"USING (tenant_id = {tenant}) WITH CHECK (tenant_id = {tenant})"
    )
