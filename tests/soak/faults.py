"""Faults to be put into the program, one at a time: a filter, a wall, a check that is gone."""

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import pytest
from sqlalchemy import ColumnElement, create_engine, event, pool, text, true
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, ColumnClause

from kernel.database import hot, inspection
from kernel.database.hot import HotStatement
from kernel.database.scopes import TENANT_COLUMN
from tenants.api.rest import api
from tenants.database import db
from tests.conftest import ON_POSTGRESQL

Fault = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Seeded:
    """A fault by its name."""

    name: str
    fault: Fault


# Filters: what the code itself says of whose rows it wants.


@contextmanager
def no_filter(table: str) -> Iterator[None]:
    """No statement compares this table's `tenant_id` any more, with a parameter or another table."""

    def strip(
        _connection: Any, statement: Any, multiparams: Any, params: Any, _options: Any
    ) -> tuple[Any, Any, Any]:
        return without_filter(statement, table), multiparams, params

    prepare = hot._prepare
    with pytest.MonkeyPatch.context() as patched:
        # First the filter falls, then the walls look at what is left.
        event.listen(db.engine, "before_execute", strip, retval=True, insert=True)
        patched.setattr(hot, "_prepare", lambda made, dialect: prepare(
            without_filter(made, table), dialect
        ))  # fmt: skip
        check = hot.HotConnections.check
        patched.setattr(
            hot.HotConnections,
            "check",
            lambda self, made: check(self, without_filter(made, table)),
        )
        _forget_prepared()
        try:
            yield
        finally:
            event.remove(db.engine, "before_execute", strip)
            _forget_prepared()


def without_filter(statement: Any, table: str) -> Any:
    """The statement without any comparison of the table's tenant column."""

    def replace(part: object, **_: Any) -> ColumnElement[bool] | None:
        if isinstance(part, BinaryExpression) and part.operator is operators.eq:
            sides = (part.left, part.right)
            if any(_is_tenant_column_of(side, table) for side in sides):
                return true()
        return None

    return cast(Any, visitors.replacement_traverse)(statement, {}, replace)


def _is_tenant_column_of(side: Any, table: str) -> bool:
    if not isinstance(side, ColumnClause) or side.key != TENANT_COLUMN or side.table is None:
        return False
    return bool(getattr(inspection._base(side.table), "name", None) == table)


def _forget_prepared() -> None:
    """Hot statements are compiled once: with the fault they are compiled anew."""
    for each in _hot_statements():
        each._prepared.clear()


@cache
def _hot_statements() -> tuple[HotStatement, ...]:
    return tuple(each for each in gc.get_objects() if isinstance(each, HotStatement))


# Walls: what stands below every statement.


@contextmanager
def no_wall(table: str) -> Iterator[None]:
    """The database does not hide this table's rows, and nobody looks at statements."""
    with ExitStack() as down:
        # Nothing of what is looked at now is remembered as good.
        down.enter_context(patched(inspection.Verdicts, "why_refuse", lambda *_: None))
        down.enter_context(patched(hot.HotConnections, "check", lambda *_: None))
        if ON_POSTGRESQL:
            down.enter_context(_policy_open(table))
        yield


@contextmanager
def _policy_open(table: str) -> Iterator[None]:
    owner = create_engine(
        db.engine.url.set(username="postgres"),
        poolclass=pool.NullPool,
        isolation_level="AUTOCOMMIT",
    )
    is_own = "tenant_id = NULLIF(current_setting('app.tenant', true), '')"
    alter = f'ALTER POLICY tenant ON "{table}" USING ({{0}}) WITH CHECK ({{0}})'
    with owner.connect() as connection:
        connection.execute(text(alter.format("true")))
    try:
        yield
    finally:
        with owner.connect() as connection:
            connection.execute(text(alter.format(is_own)))


@contextmanager
def no_filter_and_no_wall(table: str) -> Iterator[None]:
    with no_wall(table), no_filter(table):
        yield


# Checks: what the code decides.


@contextmanager
def patched(target: Any, name: str, value: Any) -> Iterator[None]:
    """A function or a value that is another one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, name, value)
        yield


@contextmanager
def demanding(operation: str, demand: Any) -> Iterator[None]:
    """An operation that demands something else."""
    found = next(one for one in api.operations if one.id == operation)
    before = found.demand
    object.__setattr__(found, "demand", demand)
    try:
        yield
    finally:
        object.__setattr__(found, "demand", before)
