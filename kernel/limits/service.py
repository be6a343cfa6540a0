"""Counting a try, before anybody looks whether it was a good one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Table,
    bindparam,
    case,
    delete,
    literal,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from kernel import program
from kernel.crypto import keyed_hash
from kernel.database import Database, HotStatement, UTCDateTime, Writes, dialect_of, upsert
from kernel.limits.models import LimitMixin
from kernel.limits.policies import LONG_AGO, NEVER, Delays, LimitPolicy, Window
from kernel.settings import Settings


@dataclass(frozen=True)
class Taken:
    """The try may go on. It has been counted."""

    count: int
    # The next try will be refused: the moment for the one row of the audit trail.
    was_last: bool
    # From then on counting begins anew.
    ends_at: datetime = field(default=NEVER, compare=False)


@dataclass(frozen=True)
class Refusal:
    """Too many. Nothing was counted, so asking again does not make it longer."""

    retry_at: datetime
    count: int

    @property
    def for_good(self) -> bool:
        """Whether waiting does not help: the ceiling is reached, and only `clear` opens again."""
        return self.retry_at >= NEVER

    def retry_after(self, now: datetime) -> int:
        """Whole seconds to wait, at least one; for the header Retry-After."""
        longest = 24 * 3600
        return max(1, min(math.ceil((self.retry_at - now).total_seconds()), longest))


class Limits:
    """Counts tries in a program's table."""

    def __init__(self, model: type[LimitMixin]) -> None:
        self._table = cast(Table, getattr(model, "__table__"))  # noqa: B009 (a mixin has none)
        self._counting: dict[tuple[str, LimitPolicy], HotStatement] = {}
        table = self._table.c
        key: BindParameter[bytes] = bindparam("key_hash")
        self._state = HotStatement(
            select(table.count, table.refused_until).where(table.key_hash == key)
        )
        self._clearing: dict[int, HotStatement] = {}

    def take(
        self, db: Database, *, key: str, policy: LimitPolicy, now: datetime
    ) -> Taken | Refusal:
        """Count one try in a transaction of its own, and say whether it may go on.

        The count stays whatever becomes of the request. On success call `clear`.
        """
        return self.take_all(db, [(key, policy)], now=now)

    def take_all(
        self, db: Database, tries: Sequence[tuple[str, LimitPolicy]], *, now: datetime
    ) -> Taken | Refusal:
        """Count one try against several limits, with one commit.

        The first that refuses ends it; those before it have counted. Callers name the limits in
        the same order (address, then person), so that two of them never wait for each other.
        """
        with db.hot_transaction() as transaction:
            answers = []
            for key, policy in tries:
                answers.append(self.take_in(transaction, key=key, policy=policy, now=now))
                if isinstance(answers[-1], Refusal):
                    break
        return _together(answers)

    def take_in(
        self, transaction: Writes, *, key: str, policy: LimitPolicy, now: datetime
    ) -> Taken | Refusal:
        """Count one try inside a transaction that will be committed whatever the answer is."""
        key_hash = _key_hash(key, policy)
        counting = self._counting_for(dialect_of(transaction), policy)
        counted = counting.first(transaction, key_hash=key_hash, **_moments(policy, now))
        if counted is not None:
            count, refused_until, ends_at = counted
            return Taken(count=count, was_last=refused_until > now, ends_at=ends_at)
        # Another transaction may just have cleared it: the next try will pass.
        count, refused_until = self._state.first(transaction, key_hash=key_hash) or (0, now)
        return Refusal(retry_at=refused_until, count=count)

    def refused_until(
        self, session: Session, *, key: str, policy: LimitPolicy, now: datetime
    ) -> datetime | None:
        """Until when the next try would be refused, or None when it wouldn't; counts nothing.

        For pages that say so beforehand. Whoever decides by it decides too early.
        """
        return session.scalar(
            select(self._table.c.refused_until).where(
                self._table.c.key_hash == _key_hash(key, policy),
                self._table.c.refused_until > now,
                self._table.c.forget_at > now,
            )
        )

    def clear(self, transaction: Writes, *, key: str, policy: LimitPolicy) -> None:
        """Forget the tries: one of them was a success."""
        self.clear_all(transaction, [(key, policy)])

    def clear_all(self, transaction: Writes, tries: Sequence[tuple[str, LimitPolicy]]) -> None:
        """Forget the tries of several limits, with one statement."""
        keys = {f"key_{at}": _key_hash(key, policy) for at, (key, policy) in enumerate(tries)}
        clearing = self._clearing.get(len(keys))
        if clearing is None:
            each: list[ColumnElement[bool]] = [
                self._table.c.key_hash == bindparam(name) for name in keys
            ]
            clearing = self._clearing[len(keys)] = HotStatement(
                delete(self._table).where(or_(*each))
            )
        clearing.rows(transaction, **keys)

    def reopen(self, session: Session, *, key: str, policy: Delays) -> None:
        """Forget the tries if they reached the ceiling, which no waiting opens."""
        session.execute(
            delete(self._table).where(
                self._table.c.key_hash == _key_hash(key, policy),
                self._table.c.refused_until >= NEVER,
            )
        )

    def clean(self, db: Database, *, now: datetime, batch: int = 500) -> int:
        """Remove rows that mean nothing any more, a few at a time; says how many."""
        expired = select(self._table.c.key_hash).where(self._table.c.forget_at <= now).limit(batch)
        with db.reading() as session:
            keys = session.scalars(expired).all()
        if not keys:
            return 0
        with db.transaction() as session:
            # Looked at again: a new try may have renewed one since.
            session.execute(
                delete(self._table).where(
                    self._table.c.key_hash.in_(keys), self._table.c.forget_at <= now
                )
            )
        return len(keys)

    def _counting_for(self, dialect: str, policy: LimitPolicy) -> HotStatement:
        """Building it costs more than running it, so each policy's is kept."""
        known = self._counting.get((dialect, policy))
        if known is None:
            known = HotStatement(_upsert(self._table, dialect, policy))
            self._counting[dialect, policy] = known
        return known


def _upsert(table: Table, dialect: str, policy: LimitPolicy) -> ReturningInsert[Any]:
    """One statement that counts, unless the row refuses; then no row comes back."""
    now = bindparam("now", type_=UTCDateTime())
    forget_at = bindparam("forget_at", type_=UTCDateTime())
    statement = upsert(dialect, table).values(
        key_hash=bindparam("key_hash"),
        count=1,
        refused_until=bindparam("after_first", type_=UTCDateTime()),
        forget_at=forget_at,
    )
    stale = table.c.forget_at <= now
    count = case((stale, literal_column("1")), else_=table.c.count + literal_column("1"))
    if isinstance(policy, Window):
        # A window ends when it ends: the tries in it don't make it longer.
        forget = case((stale, forget_at), else_=table.c.forget_at)
        full = count >= literal_column(str(policy.limit))
        refused_until: ColumnElement[datetime] = case((full, forget), else_=_not_refused())
    else:
        last = count >= literal_column(str(policy.ceiling))
        forget = case((last, literal(NEVER, UTCDateTime())), else_=forget_at)
        refused_until = _by_count(policy, count)
    return statement.on_conflict_do_update(
        index_elements=[table.c.key_hash],
        set_={"count": count, "refused_until": refused_until, "forget_at": forget},
        where=or_(stale, table.c.refused_until <= now),
    ).returning(table.c.count, table.c.refused_until, table.c.forget_at)


def _by_count(policy: Delays, count: ColumnElement[int]) -> ColumnElement[datetime]:
    """Until when the next try is refused after so many in a row."""
    steps = policy.steps()
    moments: dict[int, ColumnElement[datetime]] = {
        **{at: _not_refused() for at in range(1, policy.free)},
        **{at: bindparam(f"after_{at}", type_=UTCDateTime()) for at, _ in steps},
        # Nobody gets beyond it, so the count is never higher.
        policy.ceiling: literal(NEVER, UTCDateTime()),
    }
    return case(
        {literal_column(str(at)): moment for at, moment in moments.items()},
        value=count,
        else_=moments[steps[-1][0]],
    )


def _not_refused() -> ColumnElement[datetime]:
    # A moment long ago and not the present one: of requests at the same time, one may have looked
    # at the clock a little earlier than the one that was counted before it.
    return literal(LONG_AGO, UTCDateTime())


def _moments(policy: LimitPolicy, now: datetime) -> dict[str, datetime]:
    if isinstance(policy, Window):
        end = now + policy.every
        after_first = end if policy.limit == 1 else LONG_AGO
        return {"now": now, "forget_at": end, "after_first": after_first}
    steps = {f"after_{at}": now + delay for at, delay in policy.steps()}
    after_first = now + policy.delay_after(1) if policy.free == 1 else LONG_AGO
    return {"now": now, "forget_at": now + policy.remembered, "after_first": after_first, **steps}


def _together(answers: Sequence[Taken | Refusal]) -> Taken | Refusal:
    last = answers[-1]
    if isinstance(last, Refusal):
        return last
    taken = [answer for answer in answers if isinstance(answer, Taken)]
    return Taken(
        count=max(answer.count for answer in taken),
        was_last=any(answer.was_last for answer in taken),
    )


def _key_hash(key: str, policy: LimitPolicy) -> bytes:
    """Addresses are guessable, so a plain hash would give them away; this needs our key too."""
    settings: Settings = program.extensions()["klucznik.settings"]
    secret = settings.ledger_secret()
    return keyed_hash(secret, b"limits", policy.name.encode(), key.encode("utf-8", "surrogatepass"))
