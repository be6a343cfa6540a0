"""The first time that somebody comes whom accounts have added: from then on lists show who they are.

An ID that was made by adding its address is nobody's until its owner has a way in. Until then its
memberships look like those that still wait for a yes, so that nobody learns which addresses had an ID.
For the same reason a client who had one has come when they sign in the next time, and not before.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from tenants.audit import record
from tenants.database import db
from tenants.events import MemberEvent
from tenants.facts.service import FactSummary, Kind, note
from tenants.members.models import Membership
from tenants.members.service import MemberKind, State

_BATCH = 500
_IS_AWAITED = (Membership.state == State.ACTIVE, Membership.accepted_at.is_(None))


def hear(session: Session, facts: Iterable[FactSummary], *, now: datetime) -> None:
    """Act on those facts that tell of somebody's first way in; in a session for all accounts."""
    for fact in facts:
        if fact.kind is Kind.PERSON_CAME and fact.person_id is not None:
            arrive(session, fact.person_id, now=now)


def see(signed_in: Mapping[UUID, datetime], *, now: datetime) -> int:
    """Note that these people came, where they were added before they signed in; says in how many places."""
    found: list[Row[UUID, datetime]] = []
    with db.reading(everywhere=True) as session:
        for some in _batches(list(signed_in)):
            found += session.execute(
                select(Membership.person_id, Membership.created_at).where(
                    Membership.person_id.in_(some), *_IS_AWAITED
                )
            )
    came = {row.person_id for row in found if row.created_at < signed_in[row.person_id]}
    places = 0
    for some in _batches(sorted(came)):
        with db.transaction(everywhere=True) as session:
            places += sum(
                arrive(session, person_id, now=now, added_before=signed_in[person_id])
                for person_id in some
            )
    return places


def arrive(
    session: Session, person_id: UUID, *, now: datetime, added_before: datetime | None = None
) -> int:
    """Note in each account that this person came, where no yes is waited for; says in how many places."""
    added = () if added_before is None else (Membership.created_at < added_before,)
    rows = session.execute(
        update(Membership)
        .where(Membership.person_id == person_id, *_IS_AWAITED, *added)
        .values(accepted_at=now, version=Membership.version + 1, updated_at=now)
        .returning(Membership.tenant_id, Membership.id, Membership.kind)
    ).all()
    for row in rows:
        if row.kind == MemberKind.MEMBER:
            _tell(session, row.tenant_id, row.id, person_id, now)
    return len(rows)


def _batches(people: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (people[start : start + _BATCH] for start in range(0, len(people), _BATCH))


def _tell(
    session: Session, account: str, membership_id: UUID, person_id: UUID, now: datetime
) -> None:
    record(
        session,
        account=account,
        event=MemberEvent.ACCEPTED,
        actor=f"person:{person_id}",
        subject=f"member:{membership_id}",
        now=now,
        details={"person": person_id},
    )
    note(
        session,
        Kind.MEMBER_ACCEPTED,
        account=account,
        person_id=person_id,
        now=now,
        membership=membership_id,
    )
