"""Who may do what to memberships: where somebody manages them, and which roles they may give and take there.

Whoever has power over some companies alone sees the users who hold a role there, and changes what they
hold there. The membership as a whole is theirs only while nothing of it reaches further (docs/roles.md).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.errors import NotFound, VersionConflict
from tenants.accounts import service as accounts
from tenants.accounts.details import NotValid
from tenants.applications.service import ACCOUNTS
from tenants.companies import service as companies
from tenants.members import rows
from tenants.members.assignments import Difference, Place, Wanted, difference
from tenants.members.models import Membership
from tenants.members.rows import MemberKind, Row
from tenants.roles import service as roles
from tenants.roles.power import (
    NOTHING,
    Actor,
    MayNotGrant,
    NotPermitted,
    Power,
    Reach,
    Right,
    reach,
    why_not_grant,
)

READ = {
    MemberKind.MEMBER: Right(ACCOUNTS, "users:read"),
    MemberKind.CLIENT: Right(ACCOUNTS, "clients:read"),
}

MANAGE = {
    MemberKind.MEMBER: Right(ACCOUNTS, "users:manage"),
    MemberKind.CLIENT: Right(ACCOUNTS, "clients:manage"),
}


class BeyondReach(NotPermitted):
    """What is to be changed reaches further than the power of whoever would change it."""

    reason = "beyond_reach"


def check_giving(
    session: Session,
    account: str,
    assignments: Sequence[Wanted],
    *,
    actor: Actor,
    right: Right,
    now: datetime,
) -> None:
    """Whether somebody may be promised these roles by who adds people by this right.

    Raises what `add` does about roles.
    """
    power, area = area_of(actor, account, right=right)
    if not area.whole and not assignments:
        raise BeyondReach("a user without any role is the whole account's")
    check_change(session, account, difference((), assignments, now=now), power, area)


def area_of(
    actor: Actor,
    account: str,
    kind: MemberKind = MemberKind.MEMBER,
    right: Right = MANAGE[MemberKind.MEMBER],
) -> tuple[Power, Reach]:
    """What the actor may do in the account, and where they have this right; raises NotFound, NotPermitted.

    Clients belong to no company: nobody has power over some companies' clients alone.
    """
    power = actor.power_in(account)
    if power == NOTHING:
        raise NotFound(f"{actor.id} has no power in {account}")
    area = reach(power, right)
    if not area or (kind is MemberKind.CLIENT and not area.whole):
        raise NotPermitted(f"{actor.id} does not hold {':'.join(right)}")
    return power, area


def is_within(area: Reach, company: str | None) -> bool:
    """Whether the whole account (None) or the company is in the area."""
    return area.whole or company in area.companies


def check_change(
    session: Session, account: str, change: Difference, power: Power, area: Reach
) -> None:
    """Whether these roles are the actor's to give and take, and can be held where they are given."""
    if not all(is_within(area, one.company) for one in change.touched):
        raise BeyondReach("users are managed on some companies alone")
    _check_grants(session, account, [one.place for one in change.touched], power)
    wanted = {one.company for one in change.given if one.company is not None}
    known = companies.find_all(session, account, wanted) if wanted else {}
    if any(key not in known or not known[key].is_active for key in wanted):
        raise NotValid("assignments", "no such company")


def check_whole(found: Row, area: Reach) -> None:
    """Whether nothing of a membership is outside of the area of whoever changes it as a whole."""
    if not all(is_within(area, one.company) for one in found.held):
        raise BeyondReach(f"membership {found.id} has roles elsewhere")


def check_taking(session: Session, found: Row, power: Power, area: Reach) -> None:
    """To block, remove or sign out a member is to take, for a while or for good, all that they hold."""
    check_whole(found, area)
    _check_grants(session, found.account, [one.place for one in found.held], power)


def hold(
    session: Session,
    account: str,
    membership_id: UUID,
    kind: MemberKind,
    area: Reach,
    now: datetime,
    *,
    version: int | None = None,
    power: Power = NOTHING,
) -> Row:
    """The membership, if whoever has this area sees it, kept as it is until this transaction ends."""
    accounts.hold(session, account, even_suspended=power.installation)
    found = rows.one(session, account, now, Membership.id == membership_id, Membership.kind == kind)
    if not area.whole and not any(is_within(area, one.company) for one in found.held):
        raise NotFound(f"membership {membership_id} is out of sight")
    if version is not None and version != found.version:
        raise VersionConflict(f"membership {membership_id} is at version {found.version}")
    return found


def hold_to_take(
    session: Session,
    account: str,
    membership_id: UUID,
    kind: MemberKind,
    actor: Actor,
    now: datetime,
    *,
    version: int | None = None,
) -> Row:
    """The same, if all that the membership holds is the actor's to take, for a while or for good."""
    power, area = area_of(actor, account, kind, MANAGE[kind])
    found = hold(session, account, membership_id, kind, area, now, version=version, power=power)
    check_taking(session, found, power, area)
    return found


def _check_grants(session: Session, account: str, places: Iterable[Place], power: Power) -> None:
    """Nobody gives or takes a role with more than they hold there (SECURITY 12.4)."""
    asked = set(places)
    known = roles.known(session, account, {place.role_id for place in asked})
    for place in asked:
        if place.role_id not in known:
            raise NotValid("assignments", "no such role")
        refusal = why_not_grant(power, known[place.role_id].rights, company=place.company)
        if refusal:
            raise MayNotGrant(refusal)
