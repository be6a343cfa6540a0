"""Roles given to members and taken from them, by whoever has them to give (TEN-6, SECURITY 12.4)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from tenants.members import admins, rows, telling
from tenants.members.assignments import Difference, Place, Wanted, difference, write
from tenants.members.authority import area_of, check_change, hold, is_within
from tenants.members.rows import MemberKind, Row
from tenants.roles.power import Actor, Power, Reach


def set_assignments(
    session: Session,
    account: str,
    membership_id: UUID,
    wanted: Sequence[Wanted],
    *,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> bool:
    """Let a member hold exactly these roles within the actor's reach; answers whether that is news.

    What is given, taken or gets another end must be the actor's to give; what stays need not be.
    Raises NotFound, NotPermitted, MayNotGrant, LastAdmin, NotValid, VersionConflict.
    """
    power, area = area_of(actor, account)
    found = hold(session, account, membership_id, MemberKind.MEMBER, area, now, version=version)
    held = [one for one in found.held if is_within(area, one.company)]
    return _rearrange(session, found, difference(held, wanted, now=now), power, area, actor, now)


def give(
    session: Session,
    account: str,
    membership_id: UUID,
    wanted: Wanted,
    *,
    actor: Actor,
    now: datetime,
) -> bool:
    """Give a member one role in one place, or another end to it; answers whether that is news."""
    power, area = area_of(actor, account)
    found = hold(session, account, membership_id, MemberKind.MEMBER, area, now)
    held = [one for one in found.held if one.place == wanted.place]
    return _rearrange(session, found, difference(held, [wanted], now=now), power, area, actor, now)


def take(
    session: Session,
    account: str,
    membership_id: UUID,
    place: Place,
    *,
    actor: Actor,
    now: datetime,
) -> bool:
    """Take one role in one place from a member; answers whether they held it."""
    power, area = area_of(actor, account)
    found = hold(session, account, membership_id, MemberKind.MEMBER, area, now)
    held = [one for one in found.held if one.place == place and is_within(area, one.company)]
    return _rearrange(session, found, difference(held, (), now=now), power, area, actor, now)


def _rearrange(
    session: Session,
    found: Row,
    change: Difference,
    power: Power,
    area: Reach,
    actor: Actor,
    now: datetime,
) -> bool:
    if not change:
        return False
    check_change(session, found.account, change, power, area)
    lost = {one.place for one in (*change.taken, *change.prolonged)}
    if any(one.is_admin and one.company is None and one.place in lost for one in found.held):
        admins.keep_one(session, found)
    write(session, found.account, found.id, change, actor=actor.id, now=now)
    rows.write(session, found, now)
    telling.tell(session, telling.ROLES_CHANGED, found, actor.id, now, **telling.words(change))
    admins.unflag(session, found.account)
    return True
