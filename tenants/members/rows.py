"""One row of a membership as the use cases of `service` see it: read, written, deleted."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, delete, select, update
from sqlalchemy.orm import Session

from kernel.database import dialect_of, upsert
from kernel.errors import NotFound
from tenants.members.assignments import Held, held_by
from tenants.members.models import Departure, Membership

_TABLE = cast(Table, Membership.__table__)
_DEPARTURES = cast(Table, Departure.__table__)


class MemberKind(StrEnum):
    """The two ways in which a person belongs to an account."""

    MEMBER = "member"
    CLIENT = "client"


class State(StrEnum):
    """What a membership is good for."""

    PENDING = "pending"
    """For nothing, until the person accepts."""
    ACTIVE = "active"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Row:
    """A membership as it is, while the account is held."""

    account: str
    id: UUID
    person_id: UUID
    kind: MemberKind
    state: State
    version: int
    accepted_at: datetime | None
    blocked_by: str | None = None
    """Who blocked it, as the ledger names them."""
    held: tuple[Held, ...] = ()


def shown_state(kind: MemberKind, state: State, accepted_at: datetime | None) -> State:
    """The state that an account sees: a member is pending until they came, whether they had an ID or not."""
    has_come = accepted_at is not None or kind is MemberKind.CLIENT
    return State.PENDING if state is State.ACTIVE and not has_come else state


def of_person(
    session: Session,
    account: str,
    person_id: UUID,
    kind: MemberKind = MemberKind.MEMBER,
    *,
    now: datetime | None = None,
) -> Row:
    """The person's membership of this kind; with `now`, what it holds then. Raises NotFound."""
    return one(session, account, now, Membership.person_id == person_id, Membership.kind == kind)


def one(session: Session, account: str, now: datetime | None, *conditions: Any) -> Row:
    """The membership of the account that meets the conditions; raises NotFound."""
    row = session.execute(
        select(
            Membership.id,
            Membership.person_id,
            Membership.kind,
            Membership.state,
            Membership.version,
            Membership.accepted_at,
            Membership.blocked_by,
        ).where(Membership.tenant_id == account, *conditions)
    ).one_or_none()
    if row is None:
        raise NotFound(f"no such membership in {account}")
    held = held_by(session, account, [row.id], now=now)[row.id] if now is not None else ()
    return Row(
        account,
        row.id,
        row.person_id,
        MemberKind(row.kind),
        State(row.state),
        row.version,
        row.accepted_at,
        row.blocked_by,
        held,
    )


def this(membership: Row) -> tuple[Any, Any]:
    """What a statement says to mean this row alone."""
    return Membership.tenant_id == membership.account, Membership.id == membership.id


def insert(session: Session, membership: Row, now: datetime, **written: Any) -> bool:
    """Write the row; False where the account has one of this kind for this person.

    Who is back signs in anew: what they were let do before they left does not come back with them.
    """
    left_at = select(Departure.left_at).where(
        Departure.tenant_id == membership.account,
        Departure.person_id == membership.person_id,
        Departure.kind == membership.kind,
    )
    made = session.execute(
        upsert(dialect_of(session), _TABLE)
        .values(
            tenant_id=membership.account,
            id=membership.id,
            person_id=membership.person_id,
            kind=membership.kind,
            state=membership.state,
            version=membership.version,
            accepted_at=membership.accepted_at,
            signed_out_at=left_at.scalar_subquery(),
            created_at=now,
            updated_at=now,
            **written,
        )
        .on_conflict_do_nothing()
        .returning(_TABLE.c.id)
    )
    return made.first() is not None


def write(session: Session, membership: Row, now: datetime, **values: Any) -> None:
    """Set these columns; with none, that it changed. The row has a new version."""
    session.execute(
        update(Membership)
        .where(*this(membership))
        .values(**values, version=Membership.version + 1, updated_at=now)
    )


def remove(session: Session, membership: Row, now: datetime) -> None:
    """Delete the row, and with it what hangs on it; what stays is when that was."""
    session.execute(delete(Membership).where(*this(membership)))
    insert_one = upsert(dialect_of(session), _DEPARTURES)
    session.execute(
        insert_one.values(
            tenant_id=membership.account,
            person_id=membership.person_id,
            kind=membership.kind,
            left_at=now,
        ).on_conflict_do_update(
            index_elements=["tenant_id", "person_id", "kind"], set_={"left_at": now}
        )
    )
