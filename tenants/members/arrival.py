"""The first time that somebody comes whom accounts have added: from then on lists show them as active.

An ID that was made by adding its address is nobody's until its owner has a way in. Until then its
memberships look like those that still wait for a yes, so that nobody learns which addresses had an ID.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from tenants.audit import record
from tenants.events import MemberEvent
from tenants.facts.service import FactSummary, Kind, note
from tenants.members.models import Membership
from tenants.members.service import MemberKind, State


def hear(session: Session, facts: Iterable[FactSummary], *, now: datetime) -> None:
    """Act on those facts that tell of somebody's first way in; in a session for all accounts."""
    for fact in facts:
        if fact.kind is Kind.PERSON_CAME and fact.person_id is not None:
            arrive(session, fact.person_id, now=now)


def arrive(session: Session, person_id: UUID, *, now: datetime) -> int:
    """Note in each account that this person came, where no yes is waited for; says in how many places."""
    rows = session.execute(
        update(Membership)
        .where(
            Membership.person_id == person_id,
            Membership.state == State.ACTIVE,
            Membership.accepted_at.is_(None),
        )
        .values(accepted_at=now, version=Membership.version + 1, updated_at=now)
        .returning(Membership.tenant_id, Membership.id, Membership.kind)
    ).all()
    for row in rows:
        if row.kind == MemberKind.MEMBER:
            _tell(session, row.tenant_id, row.id, person_id, now)
    return len(rows)


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
