"""Looks at a statement before it runs: whether it would reach further than its transaction may.

Each use of a tenant table, in each part of the statement, has to be tied to the tenant or to the person.
This is the wall of SQLite (`tenancy.guard`), and of statements that run everywhere (`kernel.database.hot`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CompoundSelect, Delete, Insert, Join, Select, SelectBase, Table, Update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    ClauseElement,
    ColumnClause,
    Grouping,
)
from sqlalchemy.sql.selectable import AliasedReturnsRows, Lateral

from kernel.database.scopes import NOWHERE, OWN, PERSON_COLUMN, TENANT_COLUMN, Scope

_MOST_FORMS = 2_000


def reaches_tenants(statement: ClauseElement) -> bool:
    """Whether a tenant table has any part in this statement."""
    for part in visitors.iterate(statement):
        if isinstance(part, Table) and TENANT_COLUMN in part.c:
            return True
        if isinstance(part, Update | Delete) and any(map(reaches_tenants, _other_sources(part))):
            return True
    return False


class Verdicts:
    """Looks closely at each kind of statement once: a look costs more than the statement itself.

    Of a statement that passed, the parameters are kept that held it to its scope. Another one of
    the same form passes when these hold it too; else it is looked at like the first.
    """

    def __init__(self, guarded: frozenset[Table]) -> None:
        self._guarded = guarded
        self._holding: dict[Any, tuple[int, ...]] = {}

    def why_refuse(
        self, statement: ClauseElement, rows: list[dict[str, Any]], scope: Scope
    ) -> str | None:
        """Say why this statement may not run in this scope, or None when it may."""
        if scope.everywhere:
            return None
        if isinstance(statement, Insert) and statement.table in self._guarded:
            return _why_refuse_insert(statement, rows, self._guarded, scope)
        # The form of a statement, as SQLAlchemy's own cache knows it, and its parameters.
        form = statement._generate_cache_key()
        key = (form.key, scope.person is None) if form is not None else None
        holding = self._holding.get(key)
        if form is not None and holding is not None:
            parameters = [form.bindparams[place] for place in holding]
            whose = scope.tenant if scope.person is None else scope.person
            if all(_names(parameter, rows, whose) for parameter in parameters):
                return None
        inspection = _Inspection(rows, self._guarded, scope)
        refusal = inspection.why_refuse(statement, frozenset())
        if form is not None and refusal is None:
            self._remember(key, form, inspection.holding)
        return refusal

    def _remember(self, key: Any, form: Any, holding: set[str]) -> None:
        places = {parameter.key: place for place, parameter in enumerate(form.bindparams)}
        if holding <= places.keys():
            if len(self._holding) >= _MOST_FORMS:
                self._holding.clear()
            self._holding[key] = tuple(places[name] for name in holding)


def why_refuse(
    statement: ClauseElement,
    rows: list[dict[str, Any]],
    guarded: frozenset[Table],
    scope: Scope,
) -> str | None:
    """Say why this statement may not run in this scope, or None when it may.

    Each use of a tenant table, in each part of the statement, must be compared for equality with
    the tenant, or with the tenant column of another use that is. For a person, the same holds of what
    is theirs (`OWN`), and nothing can be changed.
    """
    if scope.everywhere:
        return None
    if isinstance(statement, Insert) and statement.table in guarded:
        return _why_refuse_insert(statement, rows, guarded, scope)
    return _Inspection(rows, guarded, scope).why_refuse(statement, frozenset())


def why_refuse_prebuilt(statement: ClauseElement, guarded: frozenset[Table]) -> str | None:
    """Say why a statement that runs everywhere may not be prebuilt, or None when it may.

    Each use of a tenant table must be tied to a tenant that a parameter names, or a column of a table
    that is nobody's (a grant's account): so it reads what belongs together, whatever it is given.
    """
    if isinstance(statement, Insert) and statement.table in guarded:
        return f"rows for {statement.table} are written in the tenant's own transaction"
    return _Inspection([], guarded, None).why_refuse(statement, frozenset())


def _why_refuse_insert(
    statement: Insert, rows: list[dict[str, Any]], guarded: frozenset[Table], scope: Scope
) -> str | None:
    if statement.select is not None:
        return f"rows for {statement.table} are made of others, whose tenant nobody sees here"
    compiled = statement.compile().params
    for row in rows or [{}]:
        value = row.get(TENANT_COLUMN, compiled.get(TENANT_COLUMN))
        if scope.tenant is None or value != scope.tenant:
            return f"a row for {statement.table} names another tenant"
    refusal = _first(
        _why_refuse_conflict(part, statement.table, rows, scope)
        for part in visitors.iterate(statement)
        if isinstance(part, sqlite.dml.OnConflictDoUpdate | postgresql.dml.OnConflictDoUpdate)
    )
    if refusal:
        return refusal
    return _Inspection(rows, guarded, scope).why_refuse_within(statement)


def _why_refuse_conflict(
    clause: Any, table: Any, rows: list[dict[str, Any]], scope: Scope
) -> str | None:
    """What an INSERT changes instead, where the row is there already: that has to be the tenant's own.

    It is where the tenant is part of what the two rows have in common, or is compared with the one
    who inserts.
    """
    if _names_tenant(clause.update_values_to_set):
        return f"rows of {table} would go to another tenant"
    if _names_tenant(clause.inferred_target_elements or ()):
        return None
    if clause.update_whereclause is not None:
        for comparison in _equalities([_Condition(clause.update_whereclause)]):
            for column, other in (comparison.sides, comparison.sides[::-1]):
                is_own = _is_tenant_column(column) and column.table in {table}
                if is_own and (_names(other, rows, scope.tenant) or _is_of_new_row(other, table)):
                    return None
    return f"the row of {table} that is there already may be another tenant's"


def _is_of_new_row(element: Any, table: Any) -> bool:
    """Whether this is the tenant of the row that could not be inserted: `excluded.tenant_id`."""
    return (
        _is_tenant_column(element)
        and isinstance(element.table, AliasedReturnsRows)
        and element.table.name == "excluded"
        and _base(element.table) in {table}
    )


class _Inspection:
    """One look at one statement; without a scope, at one that is to be prebuilt."""

    def __init__(
        self, rows: list[dict[str, Any]], guarded: frozenset[Table], scope: Scope | None
    ) -> None:
        self._rows = rows
        self._guarded = guarded
        self._scope = scope
        self.holding: set[str] = set()
        """The names of the parameters that held something to the scope."""

    def why_refuse(self, part: Any, outer: frozenset[Any]) -> str | None:
        """`outer` are the uses that the statement around this part has held already."""
        if isinstance(part, CompoundSelect):
            return _first(self.why_refuse(each, outer) for each in part.selects)
        if isinstance(part, Insert) and part.table in self._guarded:
            return f"rows for {part.table} are written by a statement of their own"
        if not isinstance(part, Select | Update | Delete):
            return self.why_refuse_within(part, outer)
        uses, conditions = _uses_and_conditions(part)
        guarded_uses = {use for use in uses if _base(use) in self._guarded}
        if guarded_uses and self._scope == NOWHERE:
            return f"no tenant was named, and the statement touches {_listed(guarded_uses)}"
        if guarded_uses and not isinstance(part, Select) and self._for_person is not None:
            return f"a person only reads, and the statement changes {_listed(guarded_uses)}"
        if isinstance(part, Update) and part.table in self._guarded and _moves_rows(part):
            return f"rows of {part.table} would go to another tenant"
        # What the part reads anew was held in the statement around it, and is not held here.
        held = self._held(conditions, outer - (uses - _correlated(part, outer)))
        if guarded_uses - held:
            return f"{_listed(guarded_uses - held)} is not held to the tenant"
        return self.why_refuse_within(part, frozenset(held))

    def why_refuse_within(self, part: Any, held: frozenset[Any] = frozenset()) -> str | None:
        """The same for the statements inside this one; those in its FROM know nothing of its rows."""
        return _first(
            self.why_refuse(each, frozenset() if stands_alone else held)
            for each, stands_alone in _parts_within(part)
        )

    @property
    def _for_person(self) -> UUID | None:
        return self._scope.person if self._scope is not None else None

    def _held(self, conditions: list["_Condition"], outer: frozenset[Any]) -> set[Any]:
        """The uses whose rows are tied to the scope, directly or through another."""
        held: set[Any] = set(outer)
        ties: list[tuple[Any, Any]] = []
        for comparison in _equalities(conditions):
            for column, other in (comparison.sides, comparison.sides[::-1]):
                if not comparison.may_hold(column):
                    continue
                if self._is_direct(column, other):
                    held.add(column.table)
                elif self._is_tie(column, other):
                    ties.append((other.table, column.table))
        for _ in ties:
            held |= {to for from_, to in ties if from_ in held}
        return held

    def _is_direct(self, column: Any, other: Any) -> bool:
        """Whether this comparison alone holds the column's table to the scope."""
        if self._scope is None:
            return _is_tenant_column(column) and self._is_given(other)
        person = self._for_person
        if person is None:
            is_held = _is_tenant_column(column) and _names(other, self._rows, self._scope.tenant)
        else:
            is_held = (
                isinstance(column, ColumnClause)
                and column.key == PERSON_COLUMN
                and _owned_as(column.table) == "person"
                and _names(other, self._rows, person)
            )
        if is_held:
            self.holding.add(other.key)
        return is_held

    def _is_given(self, other: Any) -> bool:
        if isinstance(other, BindParameter):
            return True
        return (
            isinstance(other, ColumnClause)
            and other.table is not None
            and isinstance(_base(other.table), Table)
            and _base(other.table) not in self._guarded
        )

    def _is_tie(self, column: Any, other: Any) -> bool:
        """Whether the column's table is held as soon as the other one's is."""
        if not (_is_tenant_column(column) and _is_tenant_column(other)):
            return False
        return self._for_person is None or _owned_as(column.table) == "tenant"


def _first(refusals: Iterable[str | None]) -> str | None:
    return next((refusal for refusal in refusals if refusal), None)


def _owned_as(use: Any) -> str | None:
    base = _base(use)
    return base.info.get(OWN) if isinstance(base, Table) else None


def _names(parameter: Any, rows: list[dict[str, Any]], whose: object) -> bool:
    """Whether this is a parameter that names them, in every row that the statement runs with."""
    return (
        isinstance(parameter, BindParameter)
        and whose is not None
        and all(row.get(parameter.key, parameter.effective_value) == whose for row in rows or [{}])
    )


@dataclass(frozen=True)
class _Condition:
    """What rows have to pass. That of an outer join says nothing of the rows on its left."""

    clause: Any
    only: frozenset[Any] | None = None
    """The uses that it speaks of; None: all of them."""


@dataclass(frozen=True)
class _Equality:
    sides: tuple[Any, Any]
    only: frozenset[Any] | None

    def may_hold(self, column: Any) -> bool:
        """Whether this is a column of a table whose every row has passed the comparison."""
        if not isinstance(column, ColumnClause) or column.table is None:
            return False
        return self.only is None or column.table in self.only


def _uses_and_conditions(statement: Any) -> tuple[set[Any], list[_Condition]]:
    """The tables (or aliases of tables) that a statement reads, and what each row has to pass."""
    conditions = [_Condition(clause) for clause in statement._where_criteria]
    uses: set[Any] = set()
    pending: list[Any] = (
        [statement.table, *_other_sources(statement)]
        if isinstance(statement, Update | Delete)
        else list(statement.get_final_froms())
    )
    while pending:
        source = pending.pop()
        if isinstance(source, Join):
            pending += [source.left, source.right]
            if not source.isouter:
                conditions.append(_Condition(source.onclause))
            elif not source.full:
                conditions.append(_Condition(source.onclause, only=_uses_of(source.right)))
        else:
            uses.add(source)
    return uses, conditions


def _uses_of(source: Any) -> frozenset[Any]:
    if isinstance(source, Join):
        return _uses_of(source.left) | _uses_of(source.right)
    return frozenset({source})


def _other_sources(statement: Update | Delete) -> list[Any]:
    """What an UPDATE … FROM or DELETE … USING reads besides its table; nothing else names it."""
    read: list[Any] = list(statement._where_criteria)
    if isinstance(statement, Update):
        read += (statement._values or {}).values()
    sources = (source for part in read for source in getattr(part, "_from_objects", ()))
    return [source for source in dict.fromkeys(sources) if source is not statement.table]


def _moves_rows(statement: Update) -> bool:
    return _names_tenant(statement._values or ())


def _names_tenant(columns: Iterable[Any]) -> bool:
    return any(getattr(column, "key", column) == TENANT_COLUMN for column in columns)


def _correlated(statement: Any, outer: frozenset[Any]) -> frozenset[Any]:
    """What stands in a SELECT's FROM and is, as SQLAlchemy has it, a row of the statement around it."""
    if not isinstance(statement, Select):
        return frozenset()
    sources = statement.get_final_froms()
    around = outer.intersection(sources)
    if statement._correlate:
        return around.intersection(statement._correlate)
    if statement._correlate_except is not None:
        return around.difference(statement._correlate_except)
    # The only one that there is is read anew, unless somebody says otherwise.
    return around if statement._auto_correlate and len(sources) > 1 else frozenset()


def _parts_within(statement: Any) -> list[tuple[Any, bool]]:
    """The statements inside this one, not those inside them; and whether each stands alone in FROM."""
    found: list[tuple[Any, bool]] = []
    pending = [(child, False) for child in statement.get_children()]
    if isinstance(statement, Update | Delete):
        pending += [(source, False) for source in _other_sources(statement)]
    while pending:
        part, stands_alone = pending.pop()
        if isinstance(part, SelectBase | UpdateBase):
            found.append((part, stands_alone))
            continue
        is_apart = isinstance(part, AliasedReturnsRows) and not isinstance(part, Lateral)
        pending += [(child, stands_alone or is_apart) for child in part.get_children()]
    return found


def _equalities(conditions: list[_Condition]) -> Iterator[_Equality]:
    """Comparisons that every row of the answer has passed: none of those below OR or NOT."""
    pending = list(conditions)
    while pending:
        condition = pending.pop()
        part, only = condition.clause, condition.only
        if isinstance(part, Grouping):
            pending.append(_Condition(part.element, only))
        elif isinstance(part, BooleanClauseList) and part.operator is operators.and_:
            pending.extend(_Condition(clause, only) for clause in part.clauses)
        elif isinstance(part, BinaryExpression) and part.operator is operators.eq:
            yield _Equality((part.left, part.right), only)


def _is_tenant_column(element: Any) -> bool:
    return isinstance(element, ColumnClause) and element.key == TENANT_COLUMN


def _base(use: Any) -> Any:
    """The table behind an alias."""
    while isinstance(use, AliasedReturnsRows):
        use = use.element
    return use


def _listed(uses: set[Any]) -> str:
    return ", ".join(sorted(str(use.name) for use in uses))
