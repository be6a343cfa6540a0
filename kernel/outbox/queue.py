"""Taking messages out of the table, and writing down what became of them."""

import random
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    Table,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from kernel.database import Database, HotStatement, UTCDateTime
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
    payload: dict[str, Any] = field(repr=False)
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class Taken:
    """A row that one worker holds until its lease ends."""

    id: UUID
    lane: Lane
    kind: str
    destination: str
    sealed: bytes = field(repr=False)
    lease: UUID
    attempts: int
    created_at: datetime
    expires_at: datetime | None

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True)
class Settlement:
    """What became of a message, to be written down."""

    message: Taken
    values: Mapping[str, Any]


def lanes_with_something_due(db: Database, table: Table, *, now: datetime) -> list[Lane]:
    """Which lanes have work; the question that is asked all the time, so it only reads."""
    with db.glancing() as glance:
        [answers] = _any_due(table).rows(glance, now=now)
    return [lane for lane, is_due in zip(Lane, answers, strict=True) if is_due]


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
    with db.reading() as session:
        return list(
            session.scalars(
                _oldest_destinations(table, lane),
                {"now": now, "without": list(without), "limit": limit},
            )
        )


# Building these costs more than running them.
@lru_cache(maxsize=16)
def _any_due(table: Table) -> HotStatement:
    now = bindparam("now", type_=UTCDateTime())
    questions: list[Any] = [
        select(table.c.id).where(_due(table, lane, now)).exists().label(lane) for lane in Lane
    ]
    return HotStatement(select(*questions))


@lru_cache(maxsize=64)
def _oldest_destinations(table: Table, lane: Lane) -> Select[Any]:
    names = _destinations(table, lane)
    oldest = (
        select(func.min(table.c.due_at))
        .where(_waiting(table, lane), table.c.destination == names.c.destination)
        .correlate(names)
        .scalar_subquery()
    )
    return (
        select(names.c.destination)
        .where(
            names.c.destination.not_in(bindparam("without", expanding=True)),
            oldest <= bindparam("now", type_=UTCDateTime()),
        )
        .order_by(oldest)
        .limit(bindparam("limit", type_=Integer))
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


def _due(table: Table, lane: Lane, now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    return _waiting(table, lane) & (table.c.due_at <= now)


def _waiting(table: Table, lane: Lane) -> ColumnElement[bool]:
    # Spelled out, for the index is a partial one: a parameter could be any state.
    return (table.c.state == literal_column(f"'{State.WAITING}'")) & (table.c.lane == lane)


def finished(message: Taken, state: State, *, now: datetime) -> Settlement:
    """It went, or is too late: closed, and what it said is wiped."""
    values = {"state": state, "finished_at": now, "payload": None, "lease": None}
    return Settlement(message, values)


def given_up(message: Taken, *, error: str, now: datetime) -> Settlement:
    """It is put with the dead ones. What it said stays, for an operator to send it again."""
    values = {"state": State.DEAD, "finished_at": now, "lease": None, "last_error": error[:200]}
    return Settlement(message, values)


def tried_later(message: Taken, *, error: str, now: datetime) -> Settlement:
    """It waits for its next attempt."""
    due_at = now + wait_after(message.attempts)
    return Settlement(message, {"due_at": due_at, "lease": None, "last_error": error[:200]})


def settle(db: Database, table: Table, settlements: Collection[Settlement]) -> int:
    """Write down what became of messages, in one transaction.

    Says of how many: not of those whose lease went to another worker meanwhile.
    """
    count = 0
    with db.transaction() as session:
        for settlement in settlements:
            message = settlement.message
            updated = session.execute(
                update(table)
                .where(table.c.id == message.id, table.c.lease == message.lease)
                .values(**settlement.values)
                .returning(table.c.id)
            )
            count += updated.one_or_none() is not None
    return count


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


def hasten(session: Session, table: Table, lane: Lane, destination: str, *, now: datetime) -> int:
    """Try now what waits for a later attempt; says how many. What is under way stays with its worker."""
    rows = session.execute(
        update(table)
        .where(
            _waiting(table, lane),
            table.c.destination == destination,
            table.c.lease.is_(None),
            table.c.due_at > now,
        )
        .values(due_at=now)
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
