"""Sealing anew what an older key has sealed, so that the older key can go.

A package says what it keeps sealed by a `SealedColumn`; programs go through all of theirs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Row, bindparam, select, update

from kernel.crypto import CannotOpen, Vault
from kernel.database import Database
from kernel.database.scopes import TENANT_COLUMN

_BATCH = 500


@dataclass(frozen=True)
class SealedColumn:
    """Values that the vault has sealed, each bound to its row by `context`."""

    what: str
    column: Column[Any]
    key: Column[Any]
    context: Callable[[Row[Any]], str]
    """Says what a value is bound to, from a row with the key and the columns of `needs`."""
    needs: tuple[Column[Any], ...] = ()


@dataclass(frozen=True)
class Resealed:
    """What came of a column: sealed anew, sealed by the newest key already, or not to be opened."""

    what: str
    renewed: int
    current: int
    lost: int


def reseal(
    db: Database, vault: Vault, sealed: SealedColumn, *, tell: Callable[[int], None]
) -> Resealed:
    """Seal a column's values with the newest key, a batch at a time; `tell` hears how many so far.

    A value that changes meanwhile is left as it became. One whose key is gone stays and is counted.
    Opens its transactions itself.
    """
    renewed = current = lost = 0
    last: Any = None
    while rows := _after(db, sealed, last):
        last = rows[-1].key
        changes: list[dict[str, Any]] = []
        for row in rows:
            if not vault.needs_resealing(row.sealed):
                current += 1
                continue
            context = sealed.context(row)
            try:
                plain = vault.open(row.sealed, context=context)
            except CannotOpen:
                lost += 1
                continue
            new = vault.seal(plain, context=context)
            changes.append({"of_key": row.key, "was": row.sealed, "becomes": new})
        _write(db, sealed, changes)
        renewed += len(changes)
        tell(renewed + current + lost)
    return Resealed(sealed.what, renewed, current, lost)


def _after(db: Database, sealed: SealedColumn, last: Any) -> list[Row[Any]]:
    statement = (
        select(sealed.key.label("key"), sealed.column.label("sealed"), *sealed.needs)
        .where(sealed.column.is_not(None))
        .order_by(sealed.key)
        .limit(_BATCH)
    )
    if last is not None:
        statement = statement.where(sealed.key > last)
    with db.reading(everywhere=_is_of_tenants(sealed)) as session:
        return list(session.execute(statement).all())


def _write(db: Database, sealed: SealedColumn, changes: list[dict[str, Any]]) -> None:
    if not changes:
        return
    statement = (
        update(sealed.column.table)
        .where(sealed.key == bindparam("of_key"), sealed.column == bindparam("was"))
        .values({sealed.column: bindparam("becomes")})
    )
    with db.transaction(everywhere=_is_of_tenants(sealed)) as session:
        session.connection().execute(statement, changes)


def _is_of_tenants(sealed: SealedColumn) -> bool:
    return TENANT_COLUMN in sealed.column.table.c
