"""Sealing: numbering and linking the rows that were written since the last time.

Rows are not linked in the transaction that writes them: a chain that everybody has to append to
in turn is a queue, and the slowest transaction sets its pace.
"""

import json
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, func, insert, select, text, tuple_, update
from sqlalchemy.orm import Session

from kernel.database import Database
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


def seal(db: Database, tables: Tables, keys: digests.Keys, *, now: datetime) -> int:
    """Seal everything that is not; says how many rows. Several may call it at once."""
    unsealed = select(tables.entries.c.id).where(tables.entries.c.sequence.is_(None)).limit(1)
    sealed = 0
    while True:
        with db.reading() as session:
            if session.scalar(unsealed) is None:
                return sealed
        with db.transaction() as session:
            count = _seal_batch(session, tables, keys, now) if _is_our_turn(session, tables) else 0
        sealed += count
        if count < _BATCH:
            return sealed


def _is_our_turn(session: Session, tables: Tables) -> bool:
    """One sealer at a time. On SQLite a writing transaction is alone anyway."""
    if session.get_bind().dialect.name != "postgresql":
        return True
    lock = zlib.crc32(b"klucznik ledger " + tables.entries.name.encode())
    ours: bool = session.execute(
        text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": lock}
    ).scalar_one()
    return ours


def _seal_batch(session: Session, tables: Tables, keys: digests.Keys, now: datetime) -> int:
    entries = tables.entries
    found = session.execute(
        select(entries.c.id, entries.c.chain, entries.c.mac)
        .where(entries.c.sequence.is_(None))
        .order_by(entries.c.id)
        .limit(_BATCH)
    ).all()
    if not found:
        return 0
    chains = sorted({row.chain for row in found})
    places = _places(session, tables, chains)
    number, previous = _newest(session, tables.heads)
    heads = {chain: number + count for count, chain in enumerate(chains, start=1)}
    sealed = []
    for row in found:
        before = places.get(row.chain, _BEGINNING)
        sequence, head = before.sequence + 1, heads[row.chain]
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
        sealed.append({"of": row.id, "new_sequence": sequence, "new_head": head, "new_link": link})
    session.execute(
        update(entries)
        .where(entries.c.id == bindparam("of"), entries.c.sequence.is_(None))
        .values(
            sequence=bindparam("new_sequence"),
            head=bindparam("new_head"),
            link=bindparam("new_link"),
        ),
        sealed,
    )
    signed = _signed(keys, heads, places, previous, now)
    session.execute(insert(tables.heads), signed)
    return len(sealed)


def _newest(session: Session, heads: Table) -> tuple[int, bytes]:
    newest = session.execute(
        select(heads.c.number, heads.c.digest).order_by(heads.c.number.desc()).limit(1)
    ).one_or_none()
    return (newest.number, newest.digest) if newest else (0, digests.START)


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


def _places(session: Session, tables: Tables, chains: list[str]) -> dict[str, _Place]:
    """Where these chains stand: what was signed decides, so that a removed end stays a gap."""
    places: dict[str, _Place] = {}
    for table in (tables.heads, tables.entries):
        last = (
            select(table.c.chain, func.max(table.c.sequence))
            .where(table.c.chain.in_(chains), table.c.sequence.is_not(None))
            .group_by(table.c.chain)
        )
        for row in session.execute(
            select(table.c.chain, table.c.sequence, table.c.link).where(
                tuple_(table.c.chain, table.c.sequence).in_(last)
            )
        ):
            if row.sequence > places.get(row.chain, _BEGINNING).sequence:
                places[row.chain] = _Place(row.sequence, row.link or digests.START)
    return places


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
