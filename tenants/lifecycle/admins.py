"""The admin role of an account, and who gets it when the account begins or changes hands."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from kernel.errors import Refused
from kernel.ids import new_id
from tenants.facts.service import Kind, note
from tenants.members.models import Assignment, Membership
from tenants.people import service as people
from tenants.people.service import PersonSummary
from tenants.roles.models import Role

ADMIN = "admin"


class NoSuchMember(Refused):
    """The person is no member of the account who could be its admin now."""

    status = 409
    reason = "no_active_member"


def make_role(session: Session, account: str, *, now: datetime) -> UUID:
    """The role that has every permission; an account has it from its first moment."""
    role = Role(
        tenant_id=account,
        id=new_id(),
        name=ADMIN,
        name_key=ADMIN,
        is_admin=True,
        second_factor="default",
        created_at=now,
        updated_at=now,
    )
    session.add(role)
    session.flush()
    return role.id


def add_first(
    session: Session,
    account: str,
    *,
    person: PersonSummary,
    role_id: UUID,
    actor: str,
    now: datetime,
) -> UUID:
    """Make who creates an account its first member and admin; gives the membership's id."""
    membership = Membership(
        tenant_id=account,
        id=new_id(),
        person_id=person.id,
        kind="member",
        state="active",
        email=person.email,
        email_key=person.email_key,
        given_name=person.given_name,
        family_name=person.family_name,
        sort_name=" ".join(filter(None, (person.family_name, person.given_name))).casefold(),
        locale=person.locale,
        accepted_at=now,
        created_at=now,
        updated_at=now,
    )
    session.add(membership)
    session.flush()
    _assign(session, account, membership.id, role_id, actor, now)
    note(
        session,
        Kind.MEMBER_ADDED,
        account=account,
        person_id=person.id,
        now=now,
        membership=membership.id,
    )
    return membership.id


def promote(session: Session, account: str, *, person_id: UUID, actor: str, now: datetime) -> None:
    """Give a member the admin role on the whole account, without an end; raises NoSuchMember."""
    person = people.find(session, person_id)
    membership = session.scalar(
        select(Membership.id).where(
            Membership.tenant_id == account,
            Membership.person_id == person_id,
            Membership.kind == "member",
            Membership.state == "active",
        )
    )
    if person is None or not person.is_active or membership is None:
        raise NoSuchMember(f"{person_id} is no active member of {account}")
    role_id = _role_of(session, account)
    endless = session.execute(
        update(Assignment)
        .where(
            Assignment.tenant_id == account,
            Assignment.membership_id == membership,
            Assignment.role_id == role_id,
            Assignment.company_id.is_(None),
        )
        .values(expires_at=None)
        .returning(Assignment.id)
    ).first()
    if endless is None:
        _assign(session, account, membership, role_id, actor, now)
    _roles_changed(session, account, person_id, membership, now)


def demote(session: Session, account: str, *, person_id: UUID, now: datetime) -> None:
    """Take the admin role on the whole account from a member; another one has it by now."""
    membership = session.scalar(
        select(Membership.id).where(
            Membership.tenant_id == account,
            Membership.person_id == person_id,
            Membership.kind == "member",
        )
    )
    if membership is None:
        return
    taken = session.execute(
        delete(Assignment)
        .where(
            Assignment.tenant_id == account,
            Assignment.membership_id == membership,
            Assignment.role_id == _role_of(session, account),
            Assignment.company_id.is_(None),
        )
        .returning(Assignment.id)
    ).first()
    if taken is not None:
        _roles_changed(session, account, person_id, membership, now)


def _roles_changed(
    session: Session, account: str, person_id: UUID, membership: UUID, now: datetime
) -> None:
    note(
        session,
        Kind.MEMBER_ROLES_CHANGED,
        account=account,
        person_id=person_id,
        now=now,
        membership=membership,
    )


def _role_of(session: Session, account: str) -> UUID:
    return session.execute(
        select(Role.id).where(Role.tenant_id == account, Role.is_admin.is_(True))
    ).scalar_one()


def _assign(
    session: Session, account: str, membership: UUID, role_id: UUID, actor: str, now: datetime
) -> None:
    session.add(
        Assignment(
            tenant_id=account,
            id=new_id(),
            membership_id=membership,
            role_id=role_id,
            created_by=actor,
            created_at=now,
        )
    )
    session.flush()
