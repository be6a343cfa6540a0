"""Sealing: numbering and linking the rows that were written since the last time.

Rows are not linked in the transaction that writes them: a chain that everybody has to append to
in turn is a queue, and the slowest transaction sets its pace.
"""

import json
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, Table, bindparam, func, literal_column, select, update
from sqlalchemy.sql.dml import Update
from sqlalchemy.sql.selectable import Select

from kernel.database import Database, HotStatement, HotTransaction
from kernel.ledger import digests

_BATCH = 200


@dataclass(frozen=True)
class Tables:
    """The three tables of one ledger."""

    entries: Table
    details: Table
    heads: Table


@dataclass(frozen=True)
class _Place:
    """Where a chain stands."""

    sequence: int
    link: bytes


_BEGINNING = _Place(sequence=0, link=digests.START)


def read(text_of_json: str) -> dict[str, Any]:
    """Canonical JSON back as a mapping."""
    value: dict[str, Any] = json.loads(text_of_json)
    return value


class Sealer:
    """Seals one ledger. It keeps nothing between two sealings: the database says where all stands."""

    def __init__(self, tables: Tables) -> None:
        entries, heads = tables.entries, tables.heads
        self._is_any_unsealed = HotStatement(
            lambda: select(entries.c.id).where(entries.c.sequence.is_(None)).limit(1)
        )
        self._try_lock = HotStatement(lambda: _try_lock(entries))
        self._unsealed = HotStatement(lambda: _unsealed(tables))
        self._newest_head = HotStatement(
            lambda: select(heads.c.number, heads.c.digest).order_by(heads.c.number.desc()).limit(1)
        )
        self._place = HotStatement(lambda: _placed(entries))
        self._new_head = HotStatement.insert_into(heads, *heads.c.keys())

    def seal(self, db: Database, keys: digests.Keys, *, now: datetime) -> int:
        """Seal everything that is not; says how many rows. Several may call it at once."""
        sealed = 0
        while True:
            with db.glancing() as glance:
                if not self._is_any_unsealed.rows(glance):
                    return sealed
            with db.hot_transaction() as transaction:
                ours = self._is_our_turn(transaction)
                count = self._seal_batch(transaction, keys, now) if ours else 0
            sealed += count
            if count < _BATCH:
                return sealed

    def _is_our_turn(self, transaction: HotTransaction) -> bool:
        """One sealer at a time. On SQLite a writing transaction is alone anyway."""
        if transaction.dialect != "postgresql":
            return True
        [answer] = self._try_lock.rows(transaction)
        ours: bool = answer.ours
        return ours

    def _seal_batch(self, transaction: HotTransaction, keys: digests.Keys, now: datetime) -> int:
        found = self._unsealed.rows(transaction)
        if not found:
            return 0
        newest = self._newest_head.first(transaction)
        number, previous = (newest.number, newest.digest) if newest else (0, digests.START)
        places = {row.chain: _place_of(row) for row in found}
        heads = {chain: number + count for count, chain in enumerate(sorted(places), start=1)}
        sealed = []
        for row in found:
            before, head = places[row.chain], heads[row.chain]
            sequence = before.sequence + 1
            link = digests.link(
                keys,
                previous=before.link,
                chain=row.chain,
                sequence=sequence,
                head=head,
                sealed_at=now,
                mac=row.mac,
            )
            places[row.chain] = _Place(sequence, link)
            sealed.append(
                {"of": row.id, "new_sequence": sequence, "new_head": head, "new_link": link}
            )
        self._place.each(transaction, sealed)
        self._new_head.each(transaction, _signed(keys, heads, places, previous, now))
        return len(sealed)


def _try_lock(entries: Table) -> Select[Any]:
    lock = zlib.crc32(b"klucznik ledger " + entries.name.encode())
    return select(func.pg_try_advisory_xact_lock(literal_column(str(lock))).label("ours"))


def _unsealed(tables: Tables) -> Select[Any]:
    """The next rows to seal, each with the last entry and the last head of its chain.

    Both are found by steps in an index, however long the chain is.
    """
    entries = tables.entries
    batch = (
        select(entries.c.id, entries.c.chain, entries.c.mac)
        .where(entries.c.sequence.is_(None))
        .order_by(entries.c.id)
        .limit(literal_column(str(_BATCH)))
        .cte("batch")
    )

    def last(table: Table, name: str) -> ScalarSelect[Any]:
        of_chain = table.alias()
        return (
            select(of_chain.c[name])
            .where(of_chain.c.chain == batch.c.chain, of_chain.c.sequence.is_not(None))
            .order_by(of_chain.c.sequence.desc())
            .limit(literal_column("1"))
            .correlate(batch)
            .scalar_subquery()
        )

    return select(
        batch.c.id,
        batch.c.chain,
        batch.c.mac,
        last(entries, "sequence").label("entry_sequence"),
        last(entries, "link").label("entry_link"),
        last(tables.heads, "sequence").label("head_sequence"),
        last(tables.heads, "link").label("head_link"),
    ).order_by(batch.c.id)


def _placed(entries: Table) -> Update:
    return (
        update(entries)
        .where(entries.c.id == bindparam("of"), entries.c.sequence.is_(None))
        .values(
            sequence=bindparam("new_sequence"),
            head=bindparam("new_head"),
            link=bindparam("new_link"),
        )
    )


def _place_of(row: Any) -> _Place:
    """Where the chain of a row stands: what was signed decides, so that a removed end stays a gap."""
    place = _BEGINNING
    for sequence, link in (
        (row.head_sequence, row.head_link),
        (row.entry_sequence, row.entry_link),
    ):
        if sequence is not None and sequence > place.sequence:
            place = _Place(sequence, link or digests.START)
    return place


def _signed(
    keys: digests.Keys,
    numbers: dict[str, int],
    places: dict[str, _Place],
    previous: bytes,
    now: datetime,
) -> list[dict[str, Any]]:
    """The heads of one sealing, each tied to the one before it, the last one signed."""
    rows: list[dict[str, Any]] = []
    for chain, number in numbers.items():
        head: dict[str, Any] = {
            "number": number,
            "chain": chain,
            "sequence": places[chain].sequence,
            "link": places[chain].link,
            "sealed_at": now,
            "signature": None,
        }
        previous = head["digest"] = digests.head_digest(keys, previous=previous, head=head)
        rows.append(head)
    rows[-1]["signature"] = keys.signing.sign(previous)
    return rows


def newest_head(db: Database, tables: Tables) -> str | None:
    """The newest signed head in one word: number, digest, signature."""
    heads = tables.heads
    with db.reading() as session:
        row = session.execute(
            select(heads.c.number, heads.c.digest, heads.c.signature)
            .where(heads.c.signature.is_not(None))
            .order_by(heads.c.number.desc())
            .limit(1)
        ).one_or_none()
    return f"{row.number}.{row.digest.hex()}.{row.signature.hex()}" if row else None
