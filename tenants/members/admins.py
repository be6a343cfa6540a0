"""The last admin of an account, who stays (TEN-6).

An admin who counts can act on the whole account, now and without an end: an active person, who accepted,
whose membership is active, and whose admin role has no expiry. Whoever asks holds the account
(`accounts.hold`), so that of two who would go at once, one stays.
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.errors import Refused
from tenants.accounts import service as accounts
from tenants.members.models import Assignment, Membership
from tenants.members.rows import Row
from tenants.people import service as people
from tenants.roles.models import Role


class LastAdmin(Refused):
    """The last admin of an account is neither removed nor blocked nor demoted, and has no expiry."""

    status = 409
    reason = "last_admin"


def has_admin(session: Session, account: str, *, besides: UUID | None = None) -> bool:
    """Whether the account has an admin who can act, other than this membership."""
    return _is_one(session, account, Membership.id != besides if besides else None)


def acts_as_admin(session: Session, account: str, membership_id: UUID) -> bool:
    """Whether this membership is one of the admins who count."""
    return _is_one(session, account, Membership.id == membership_id)


def keep_one(session: Session, found: Row) -> None:
    """Raises LastAdmin where nobody could act as admin without this membership."""
    if is_last(session, found):
        raise LastAdmin(f"membership {found.id} is the last admin of {found.account}")


def is_last(session: Session, found: Row) -> bool:
    """Whether this membership acts as admin, and no other does."""
    return acts_as_admin(session, found.account, found.id) and not has_admin(
        session, found.account, besides=found.id
    )


def unflag(session: Session, account: str) -> None:
    """An account that waited for an admin waits no more, if it has one now."""
    if has_admin(session, account):
        accounts.unflag(session, account)


def _is_one(session: Session, account: str, condition: object) -> bool:
    person = people.active_people().subquery()
    statement = (
        select(Membership.id)
        .join(
            Assignment,
            (Assignment.tenant_id == Membership.tenant_id)
            & (Assignment.membership_id == Membership.id),
        )
        .join(Role, (Role.tenant_id == Assignment.tenant_id) & (Role.id == Assignment.role_id))
        .join(person, person.c.id == Membership.person_id)
        .where(
            Membership.tenant_id == account,
            Membership.kind == "member",
            Membership.state == "active",
            Membership.accepted_at.is_not(None),
            Assignment.company_id.is_(None),
            Assignment.expires_at.is_(None),
            Role.is_admin,
        )
        .limit(1)
    )
    if condition is not None:
        statement = statement.where(condition)  # type: ignore[arg-type]
    return session.scalar(statement) is not None
