"""Blocking and unblocking an ID. Inner functions: they take the caller's session, which is for all accounts.

The last admin of an account can be blocked too: the operator decides (ID-11), and the account is
flagged until it is handed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from tenants.accounts import service as accounts
from tenants.accounts.models import Account
from tenants.facts.service import Kind, note
from tenants.members.admins import has_admin
from tenants.members.models import Assignment, Membership
from tenants.people import service as people
from tenants.roles.models import Role


@dataclass(frozen=True)
class Turned:
    """What blocking or unblocking changed. `accounts` lost their last admin, or have one again."""

    is_news: bool
    accounts: tuple[str, ...] = ()


def block(session: Session, person_id: UUID, *, actor: str, now: datetime) -> Turned:
    """Let nobody use this ID. What was begun with it is the caller's to end."""
    held = _hold_accounts_of_admin(session, person_id)
    people.hold(session, person_id)
    if not people.block(session, person_id, now=now):
        return Turned(is_news=False)
    note(session, Kind.PERSON_BLOCKED, account=None, person_id=person_id, now=now)
    alone = [
        account
        for account in held
        if not has_admin(session, account) and accounts.flag(session, account, actor=actor, now=now)
    ]
    return Turned(is_news=True, accounts=tuple(alone))


def unblock(session: Session, person_id: UUID, *, now: datetime) -> Turned:
    """Let it be used again, with everything that it had."""
    held = _hold_accounts_of_admin(session, person_id)
    people.hold(session, person_id)
    if not people.unblock(session, person_id, now=now):
        return Turned(is_news=False)
    note(session, Kind.PERSON_UNBLOCKED, account=None, person_id=person_id, now=now)
    again = [account for account in held if accounts.unflag(session, account)]
    return Turned(is_news=True, accounts=tuple(again))


def _hold_accounts_of_admin(session: Session, person_id: UUID) -> Sequence[str]:
    """The accounts that the person is an admin of, kept as they are until this transaction ends.

    Before the person, and in one order: whoever changes members holds the account first, too.
    """
    administered = _admins().where(Membership.person_id == person_id).subquery()
    return session.scalars(
        select(Account.tenant_id)
        .where(Account.tenant_id.in_(select(administered.c.tenant_id)))
        .order_by(Account.tenant_id)
        .with_for_update()
    ).all()


def _admins() -> Select[str]:
    """The accounts of whoever administers a whole account without an end."""
    return (
        select(Membership.tenant_id)
        .join(
            Assignment,
            and_(
                Assignment.tenant_id == Membership.tenant_id,
                Assignment.membership_id == Membership.id,
            ),
        )
        .join(Role, and_(Role.tenant_id == Assignment.tenant_id, Role.id == Assignment.role_id))
        .where(
            Membership.kind == "member",
            Membership.state == "active",
            Role.is_admin,
            Assignment.company_id.is_(None),
            Assignment.expires_at.is_(None),
        )
    )
