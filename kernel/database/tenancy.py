"""The walls between tenants, below every query that a programmer may get wrong.

Every table with a `tenant_id` column is a tenant table. On PostgreSQL row-level security hides
the rows of others: `enable_row_level_security` in the table's migration, and `app.tenant` set in
each transaction. SQLite has no such thing, so there a hook looks at each statement before it runs
and refuses one on a tenant table that is not held to the transaction's tenant.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from sqlalchemy import (
    CompoundSelect,
    Delete,
    Engine,
    Insert,
    Join,
    MetaData,
    Select,
    SelectBase,
    Table,
    Update,
    event,
    text,
)
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session, SessionTransaction, UOWTransaction
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    ClauseElement,
    ColumnClause,
    Grouping,
)
from sqlalchemy.sql.selectable import AliasedReturnsRows

from kernel.errors import KlucznikError

if TYPE_CHECKING:
    # Serving programs never migrate, and Alembic takes long to load.
    from alembic.operations import Operations

TENANT_COLUMN = "tenant_id"
_SCOPE = "klucznik.scope"
_MOST_FORMS = 2_000


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


def reaches_tenants(statement: ClauseElement) -> bool:
    """Whether a tenant table has any part in this statement."""
    return any(
        isinstance(part, Table) and TENANT_COLUMN in part.c for part in visitors.iterate(statement)
    )


def guard(engine: Engine, metadata: MetaData) -> None:
    """Let the statement hook watch this engine, where the database has no walls of its own."""
    guarded = tenant_tables(metadata)
    if engine.dialect.name != "sqlite" or not guarded:
        return
    verdicts = Verdicts(guarded)

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
        refusal = verdicts.why_refuse(statement, _rows(multiparams, params), tenant)
        if refusal:
            raise OutOfTenant(refusal)


class Verdicts:
    """Looks closely at each kind of statement once: a look costs more than the statement itself.

    Of a statement that passed, the parameters are kept that held it to the tenant. Another one of
    the same form passes when these hold it too; else it is looked at like the first.
    """

    def __init__(self, guarded: frozenset[Table]) -> None:
        self._guarded = guarded
        self._holding: dict[Any, tuple[int, ...]] = {}

    def why_refuse(
        self, statement: ClauseElement, rows: list[dict[str, Any]], tenant: UUID | None
    ) -> str | None:
        """Say why this statement may not run for this tenant, or None when it may."""
        if isinstance(statement, Insert) and statement.table in self._guarded:
            return _why_refuse_insert(statement, rows, tenant)
        # The form of a statement, as SQLAlchemy's own cache knows it, and its parameters.
        form = statement._generate_cache_key()
        holding = self._holding.get(form.key) if form is not None else None
        if form is not None and holding is not None:
            parameters = [form.bindparams[place] for place in holding]
            if all(_is_tenant(parameter, rows, tenant) for parameter in parameters):
                return None
        inspection = _Inspection(rows, self._guarded, tenant)
        refusal = inspection.why_refuse(statement, frozenset())
        if form is not None and refusal is None:
            self._remember(form, inspection.holding)
        return refusal

    def _remember(self, form: Any, holding: set[str]) -> None:
        places = {parameter.key: place for place, parameter in enumerate(form.bindparams)}
        if holding <= places.keys():
            if len(self._holding) >= _MOST_FORMS:
                self._holding.clear()
            self._holding[form.key] = tuple(places[key] for key in holding)


def why_refuse(
    statement: ClauseElement,
    rows: list[dict[str, Any]],
    guarded: frozenset[Table],
    tenant: UUID | None,
) -> str | None:
    """Say why this statement may not run for this tenant, or None when it may.

    Each use of a tenant table, in each part of the statement, must be compared for equality with
    the tenant, or with the tenant column of another use that is.
    """
    if isinstance(statement, Insert) and statement.table in guarded:
        return _why_refuse_insert(statement, rows, tenant)
    return _Inspection(rows, guarded, tenant).why_refuse(statement, frozenset())


def _why_refuse_insert(
    statement: Insert, rows: list[dict[str, Any]], tenant: UUID | None
) -> str | None:
    compiled = statement.compile().params
    for row in rows or [{}]:
        value = row.get(TENANT_COLUMN, compiled.get(TENANT_COLUMN))
        if tenant is None or value != tenant:
            return f"a row for {statement.table} names another tenant"
    return None


class _Inspection:
    """One look at one statement."""

    def __init__(
        self, rows: list[dict[str, Any]], guarded: frozenset[Table], tenant: UUID | None
    ) -> None:
        self._rows = rows
        self._guarded = guarded
        self._tenant = tenant
        self.holding: set[str] = set()
        """The names of the parameters that held something to the tenant."""

    def why_refuse(self, part: Any, outer: frozenset[Any]) -> str | None:
        """`outer` are the uses that the statement around this part has held already."""
        if isinstance(part, CompoundSelect):
            return self._first(part.selects, outer)
        if not isinstance(part, Select | Update | Delete):
            return self._first(_parts_within(part), outer)
        uses, conditions = _uses_and_conditions(part)
        guarded_uses = {use for use in uses if _base(use) in self._guarded}
        if guarded_uses and self._tenant is None:
            return f"no tenant was named, and the statement touches {_names(guarded_uses)}"
        held = self._held(conditions, outer)
        if guarded_uses - held:
            return f"{_names(guarded_uses - held)} is not held to the tenant"
        return self._first(_parts_within(part), frozenset(held))

    def _first(self, parts: Iterable[Any], outer: frozenset[Any]) -> str | None:
        refusals = (self.why_refuse(part, outer) for part in parts)
        return next((refusal for refusal in refusals if refusal), None)

    def _held(self, conditions: list[Any], outer: frozenset[Any]) -> set[Any]:
        """The uses whose tenant column is tied to the tenant, directly or through another."""
        held: set[Any] = set(outer)
        ties: list[tuple[Any, Any]] = []
        for comparison in _equalities(conditions):
            left, right = comparison.left, comparison.right
            if _is_tenant_column(right) and not _is_tenant_column(left):
                left, right = right, left
            if not _is_tenant_column(left):
                continue
            if _is_tenant_column(right):
                ties.append((left.table, right.table))
            elif isinstance(right, BindParameter) and _is_tenant(right, self._rows, self._tenant):
                held.add(left.table)
                self.holding.add(right.key)
        for _ in ties:
            for one, other in ties:
                if one in held or other in held:
                    held |= {one, other}
        return held


def _is_tenant(
    parameter: "BindParameter[Any]", rows: list[dict[str, Any]], tenant: UUID | None
) -> bool:
    """Whether the parameter names this tenant, in every row that the statement runs with."""
    return tenant is not None and all(
        row.get(parameter.key, parameter.effective_value) == tenant for row in rows or [{}]
    )


def _uses_and_conditions(statement: Any) -> tuple[set[Any], list[Any]]:
    """The tables (or aliases of tables) that a statement reads, and what each row has to pass."""
    conditions = list(statement._where_criteria)
    if isinstance(statement, Update | Delete):
        return {statement.table}, conditions
    uses: set[Any] = set()
    pending: list[Any] = list(statement.get_final_froms())
    while pending:
        source = pending.pop()
        if isinstance(source, Join):
            pending += [source.left, source.right]
            # An outer join keeps rows of its left side that fail the condition.
            if not source.isouter and not source.full:
                conditions.append(source.onclause)
        else:
            uses.add(source)
    return uses, conditions


def _parts_within(statement: Any) -> list[Any]:
    """The statements inside this one, not those inside them."""
    found: list[Any] = []
    pending = list(statement.get_children())
    while pending:
        part = pending.pop()
        if isinstance(part, SelectBase):
            found.append(part)
        else:
            pending.extend(part.get_children())
    return found


def _equalities(conditions: list[Any]) -> Iterator[Any]:
    """Comparisons that every row of the answer has passed: none of those below OR or NOT."""
    pending = list(conditions)
    while pending:
        part = pending.pop()
        if isinstance(part, Grouping):
            pending.append(part.element)
        elif isinstance(part, BooleanClauseList) and part.operator is operators.and_:
            pending.extend(part.clauses)
        elif isinstance(part, BinaryExpression) and part.operator is operators.eq:
            yield part


def _is_tenant_column(element: Any) -> bool:
    return isinstance(element, ColumnClause) and element.key == TENANT_COLUMN


def _base(use: Any) -> Any:
    """The table behind an alias."""
    while isinstance(use, AliasedReturnsRows):
        use = use.element
    return use


def _rows(multiparams: Any, params: Any) -> list[dict[str, Any]]:
    return [*(multiparams or []), *([params] if params else [])]


def _names(uses: set[Any]) -> str:
    return ", ".join(sorted(str(use.name) for use in uses))


def enable_row_level_security(operations: "Operations", table: str) -> None:
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
