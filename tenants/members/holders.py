"""Who holds a right on the whole account: for what has to reach those who can do something about it."""

from datetime import datetime

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from tenants.applications.rights import Right
from tenants.members.models import Assignment, Membership
from tenants.people import service as people
from tenants.people.service import PersonSummary
from tenants.roles.models import Role, RolePermission


def holders(session: Session, account: str, right: Right, *, now: datetime) -> list[PersonSummary]:
    """Those who can use the right now, admins among them, in the order in which they came."""
    person = people.active_people().subquery()
    ticked = exists().where(
        RolePermission.tenant_id == Role.tenant_id,
        RolePermission.role_id == Role.id,
        RolePermission.application_id == right.application,
        RolePermission.permission == right.permission,
    )
    found = session.scalars(
        select(person.c.id)
        .join(Membership, Membership.person_id == person.c.id)
        .join(
            Assignment,
            (Assignment.tenant_id == Membership.tenant_id)
            & (Assignment.membership_id == Membership.id),
        )
        .join(Role, (Role.tenant_id == Assignment.tenant_id) & (Role.id == Assignment.role_id))
        .where(
            Membership.tenant_id == account,
            Membership.kind == "member",
            Membership.state == "active",
            Membership.accepted_at.is_not(None),
            Assignment.company_id.is_(None),
            or_(Assignment.expires_at.is_(None), Assignment.expires_at > now),
            or_(Role.is_admin, ticked),
        )
        .distinct()
    )
    by_id = people.find_all(session, set(found))
    return sorted(by_id.values(), key=lambda one: one.id)
