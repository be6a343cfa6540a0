"""The rows of invitations: what each is, what became of it, and the change that only an open one takes."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from kernel.errors import NotFound, Refused
from tenants.invitations.models import Invitation, InvitedRole
from tenants.members.service import Wanted


class NotOpen(Refused):
    """The invitation was accepted, revoked, or its time is over."""

    status = 409
    reason = "not_open"


class State(StrEnum):
    """What has become of an invitation."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True)
class InvitationSummary:
    """An invitation, as the account sees it. Its link is in the mail, and nowhere else."""

    id: UUID
    email: str
    email_key: str
    given_name: str | None
    family_name: str | None
    locale: str | None
    invited_by: str
    sent_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    revoked_at: datetime | None
    declined_at: datetime | None
    version: int
    created_at: datetime
    assignments: tuple[Wanted, ...] = ()

    def state(self, now: datetime) -> State:
        """What it is good for, at this moment."""
        if self.accepted_at is not None:
            return State.ACCEPTED
        if self.declined_at is not None:
            return State.DECLINED
        if self.revoked_at is not None:
            return State.REVOKED
        return State.OPEN if self.expires_at > now else State.EXPIRED


COLUMNS = tuple(
    getattr(Invitation, name)
    for name in InvitationSummary.__dataclass_fields__
    if name != "assignments"
)


def still_open(account: str, invitation_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """What a statement says to mean this invitation, while nobody has answered or revoked it."""
    return (
        Invitation.tenant_id == account,
        Invitation.id == invitation_id,
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
    )


def sure(session: Session, account: str, invitation_id: UUID) -> InvitationSummary:
    """The account's invitation with this id; raises NotFound."""
    row = session.execute(
        select(*COLUMNS).where(Invitation.tenant_id == account, Invitation.id == invitation_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"no invitation {invitation_id} in {account}")
    return with_roles(session, account, (InvitationSummary(*row),))[0]


def with_roles(
    session: Session, account: str, found: Collection[InvitationSummary]
) -> tuple[InvitationSummary, ...]:
    """The same invitations, with the roles that they promise."""
    rows = session.execute(
        select(
            InvitedRole.invitation_id,
            InvitedRole.role_id,
            InvitedRole.company_id,
            InvitedRole.expires_at,
        )
        .where(
            InvitedRole.tenant_id == account,
            InvitedRole.invitation_id.in_([one.id for one in found]),
        )
        .order_by(InvitedRole.id)
    )
    wanted: dict[UUID, list[Wanted]] = defaultdict(list)
    for row in rows:
        wanted[row.invitation_id].append(Wanted(row.role_id, row.company_id, row.expires_at))
    return tuple(
        InvitationSummary(**{**vars(one), "assignments": tuple(wanted[one.id])}) for one in found
    )


def change_open(
    session: Session,
    account: str,
    invitation_id: UUID,
    *conditions: ColumnElement[bool],
    now: datetime,
    **values: Any,
) -> None:
    """Change an invitation that meets these conditions, and is open still; raises NotOpen.

    Of several at once one gets through: the database decides.
    """
    changed = session.execute(
        update(Invitation)
        .where(*still_open(account, invitation_id), *conditions)
        .values(**values, updated_at=now, version=Invitation.version + 1)
        .returning(Invitation.id)
    )
    if changed.first() is None:
        raise NotOpen("it was answered or revoked")
