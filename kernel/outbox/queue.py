"""Taking messages out of the table, and writing down what became of them."""

import random
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CTE, ColumnElement, Table, func, literal_column, or_, select, text, update
from sqlalchemy.orm import Session

from kernel.database import Database
from kernel.errors import KlucznikError
from kernel.outbox.lanes import CAPACITIES, Lane
from kernel.outbox.models import State

LEASE = timedelta(seconds=30)
_LOCK_FAMILY = 0x6B6C7563
_FIRST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(hours=1)


class Undeliverable(KlucznikError):
    """Raised by a handler: trying again will not help. The message is given up at once."""


@dataclass(frozen=True)
class Message:
    """A message under way, as its handler gets it. The id is the same at every attempt."""

    id: UUID
    kind: str
    payload: dict[str, Any]
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class Taken:
    """A row that one worker holds until its lease ends."""

    id: UUID
    lane: Lane
    kind: str
    destination: str
    sealed: bytes
    lease: UUID
    attempts: int
    created_at: datetime
    expires_at: datetime | None

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


def lanes_with_something_due(db: Database, table: Table, *, now: datetime) -> list[Lane]:
    """Which lanes have work; the question that is asked all the time, so it only reads."""
    with db.reading() as session:
        return [
            lane
            for lane in Lane
            if session.execute(select(table.c.id).where(_due(table, lane, now)).limit(1)).first()
        ]


def waiting_destinations(
    db: Database,
    table: Table,
    lane: Lane,
    *,
    now: datetime,
    without: Collection[str] = (),
    limit: int = 50,
) -> list[str]:
    """Whose queues have something due in this lane, the longest waiting first. Only reads."""
    names = _destinations(table, lane)
    oldest = (
        select(func.min(table.c.due_at))
        .where(_waiting(table, lane), table.c.destination == names.c.destination)
        .correlate(names)
        .scalar_subquery()
    )
    with db.reading() as session:
        return list(
            session.scalars(
                select(names.c.destination)
                .where(names.c.destination.not_in(without), oldest <= now)
                .order_by(oldest)
                .limit(limit)
            )
        )


def _destinations(table: Table, lane: Lane) -> CTE:
    """Every destination once, each found from the one before it by one step in the index.

    Grouping would read every waiting message, and there may be very many to one mail server.
    """
    first = select(func.min(table.c.destination).label("destination")).where(_waiting(table, lane))
    names = first.cte("names", recursive=True)
    following = (
        select(func.min(table.c.destination))
        .where(_waiting(table, lane), table.c.destination > names.c.destination)
        .correlate(names)
        .scalar_subquery()
    )
    return names.union_all(select(following).where(names.c.destination.is_not(None)))


def take(
    db: Database,
    table: Table,
    lane: Lane,
    wanted: Mapping[str, int],
    *,
    now: datetime,
) -> list[Taken]:
    """Lease up to so many messages of each destination. Nobody else gets them until it ends."""
    taken: list[Taken] = []
    with db.transaction() as session:
        for destination, count in wanted.items():
            if not _queue_is_ours(session, table, lane, destination):
                continue
            under_way = _count_leased(session, table, lane, destination, now)
            free = CAPACITIES[lane].per_destination - under_way
            if free > 0:
                taken += _take(session, table, lane, destination, min(count, free), now)
    return taken


def _queue_is_ours(session: Session, table: Table, lane: Lane, destination: str) -> bool:
    """One worker at a time takes from a queue. On SQLite a writing transaction is alone anyway."""
    if session.get_bind().dialect.name != "postgresql":
        return True
    lock = zlib.crc32(f"{table.name} {lane} {destination}".encode())
    ours: bool = session.execute(
        text("SELECT pg_try_advisory_xact_lock(:family, :lock)"),
        {"family": _LOCK_FAMILY, "lock": lock - 2**31},
    ).scalar_one()
    return ours


def _count_leased(
    session: Session, table: Table, lane: Lane, destination: str, now: datetime
) -> int:
    """How many are under way to it already, in whichever worker."""
    return session.execute(
        select(func.count()).where(
            _waiting(table, lane),
            table.c.destination == destination,
            table.c.lease.is_not(None),
            table.c.due_at > now,
        )
    ).scalar_one()


def _take(
    session: Session, table: Table, lane: Lane, destination: str, count: int, now: datetime
) -> list[Taken]:
    first = session.scalars(
        select(table.c.id)
        .where(_due(table, lane, now), table.c.destination == destination)
        .order_by(table.c.due_at, table.c.id)
        .limit(count)
        .with_for_update(skip_locked=True)
    ).all()
    lease = uuid4()
    rows = session.execute(
        update(table)
        .where(table.c.id.in_(first), _due(table, lane, now))
        .values(lease=lease, due_at=now + LEASE, attempts=table.c.attempts + 1)
        .returning(table)
    )
    return sorted((_taken(row, lease) for row in rows), key=lambda message: message.id)


def renew(db: Database, table: Table, messages: Collection[Taken], *, now: datetime) -> None:
    """Hold on to messages that take long."""
    if not messages:
        return
    with db.transaction() as session:
        session.execute(
            update(table)
            .where(
                table.c.id.in_([message.id for message in messages]),
                table.c.lease.in_([message.lease for message in messages]),
            )
            .values(due_at=now + LEASE)
        )


def _taken(row: Any, lease: UUID) -> Taken:
    return Taken(
        id=row.id,
        lane=Lane(row.lane),
        kind=row.kind,
        destination=row.destination,
        sealed=row.payload or b"",
        lease=lease,
        attempts=row.attempts,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _due(table: Table, lane: Lane, now: datetime) -> ColumnElement[bool]:
    return _waiting(table, lane) & (table.c.due_at <= now)


def _waiting(table: Table, lane: Lane) -> ColumnElement[bool]:
    # Spelled out, for the index is a partial one: a parameter could be any state.
    return (table.c.state == literal_column(f"'{State.WAITING}'")) & (table.c.lane == lane)


def finish(db: Database, table: Table, message: Taken, state: State, *, now: datetime) -> bool:
    """Close a message and wipe what it said. False when its lease went to another meanwhile."""
    return _write(
        db, table, message, {"state": state, "finished_at": now, "payload": None, "lease": None}
    )


def give_up(db: Database, table: Table, message: Taken, *, error: str, now: datetime) -> bool:
    """Put a message with the dead ones. Its payload stays, for an operator to send it again."""
    values = {"state": State.DEAD, "finished_at": now, "lease": None, "last_error": error[:200]}
    return _write(db, table, message, values)


def retry_later(
    db: Database, table: Table, message: Taken, *, error: str, now: datetime
) -> datetime:
    """Let a message wait for its next attempt; says until when."""
    due_at = now + wait_after(message.attempts)
    _write(db, table, message, {"due_at": due_at, "lease": None, "last_error": error[:200]})
    return due_at


def release(db: Database, table: Table, message: Taken, *, now: datetime) -> None:
    """Give a message back untried: this worker stops."""
    values = {"due_at": now, "lease": None, "attempts": message.attempts - 1}
    _write(db, table, message, values)


def _write(db: Database, table: Table, message: Taken, values: dict[str, Any]) -> bool:
    with db.transaction() as session:
        updated = session.execute(
            update(table)
            .where(table.c.id == message.id, table.c.lease == message.lease)
            .values(**values)
            .returning(table.c.id)
        )
        return updated.one_or_none() is not None


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts: doubling, up to an hour, never two in step.

    >>> timedelta(seconds=0.5) <= wait_after(1) <= timedelta(seconds=1)
    True
    >>> timedelta(minutes=30) <= wait_after(50) <= timedelta(hours=1)
    True
    """
    longest = min(_FIRST_WAIT * (1 << min(max(attempts, 1) - 1, 20)), _LONGEST_WAIT)
    return longest * random.uniform(0.5, 1)  # noqa: S311 (spreads load, hides nothing)


def retry_dead(session: Session, table: Table, ids: Collection[UUID], *, now: datetime) -> int:
    """Send dead messages again; says how many there were."""
    rows = session.execute(
        update(table)
        .where(table.c.id.in_(ids), table.c.state == State.DEAD, table.c.payload.is_not(None))
        .values(state=State.WAITING, attempts=0, due_at=now, finished_at=None, last_error=None)
        .returning(table.c.id)
    )
    return len(rows.all())


def clean(db: Database, table: Table, *, before: datetime, batch: int = 500) -> int:
    """Remove messages that were finished before then, a few at a time; says how many."""
    old = select(table.c.id).where(table.c.finished_at < before).limit(batch)
    with db.reading() as session:
        ids = session.scalars(old).all()
    if ids:
        with db.transaction() as session:
            session.execute(table.delete().where(table.c.id.in_(ids), table.c.finished_at < before))
    return len(ids)


def oldest_due(db: Database, table: Table, lane: Lane, *, now: datetime) -> datetime | None:
    """Since when the longest waiting message of a lane is overdue; what an operator watches."""
    with db.reading() as session:
        oldest: datetime | None = session.scalar(
            select(func.min(table.c.due_at)).where(
                _due(table, lane, now), or_(table.c.expires_at.is_(None), table.c.expires_at > now)
            )
        )
    return oldest
