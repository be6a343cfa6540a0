"""Roles that were given until some moment, and the moment is over.

They count for nothing from that moment on, whoever reads them. Here their rows go, and those who have to
hear of it are told: a job, every second.
"""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from tenants.audit import record
from tenants.database import db
from tenants.events import MemberEvent
from tenants.facts.service import Kind, note
from tenants.members.models import Assignment, Membership


def end_over(*, now: datetime, batch: int = 500) -> int:
    """Take away what is over, in any account, a few at a time; says how many roles."""
    with db.reading(everywhere=True) as session:
        rows = session.execute(
            select(Assignment.tenant_id, Assignment.id)
            .where(Assignment.expires_at <= now)
            .order_by(Assignment.expires_at)
            .limit(batch)
        ).all()
    ended: dict[str, list[UUID]] = defaultdict(list)
    for row in rows:
        ended[row.tenant_id].append(row.id)
    return sum(_end(account, ids, now) for account, ids in sorted(ended.items()))


def _end(account: str, ids: list[UUID], now: datetime) -> int:
    with db.transaction(tenant=account) as session:
        # Whoever prolonged one meanwhile has written another row.
        gone = session.execute(
            delete(Assignment)
            .where(
                Assignment.tenant_id == account,
                Assignment.id.in_(ids),
                Assignment.expires_at <= now,
            )
            .returning(Assignment.membership_id, Assignment.role_id, Assignment.company_id)
        ).all()
        by_membership: dict[UUID, list[dict[str, object]]] = defaultdict(list)
        for row in gone:
            by_membership[row.membership_id].append(
                {"role": row.role_id, "company": row.company_id}
            )
        for membership_id, taken in sorted(by_membership.items()):
            _tell(session, account, membership_id, taken, now)
    return len(gone)


def _tell(
    session: Session,
    account: str,
    membership_id: UUID,
    taken: list[dict[str, object]],
    now: datetime,
) -> None:
    person_id = session.scalars(
        select(Membership.person_id).where(
            Membership.tenant_id == account, Membership.id == membership_id
        )
    ).one()
    record(
        session,
        account=account,
        event=MemberEvent.ROLES_EXPIRED,
        actor="worker",
        subject=f"member:{membership_id}",
        now=now,
        details={"person": person_id, "taken": taken},
    )
    note(
        session,
        Kind.MEMBER_ROLES_CHANGED,
        account=account,
        person_id=person_id,
        now=now,
        membership=membership_id,
        taken=taken,
    )
