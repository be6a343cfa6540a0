"""Members and clients of an account: added, changed, given roles, blocked, removed (TEN-6, TEN-7).

Inner functions take the session of the account's own transaction. Whoever changes a membership holds the
account, so such changes come one after another; what somebody may do is decided by
`tenants.roles.power`. Nothing here tells whether an address had an ID before.

Whoever has power over some companies alone sees the users who hold a role there, and changes what they
hold there. The membership as a whole is theirs only while nothing of it reaches further (docs/roles.md).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.errors import NotFound, Refused, VersionConflict
from kernel.ids import new_id
from tenants.accounts import service as accounts
from tenants.accounts.details import NotValid
from tenants.applications.service import ACCOUNTS
from tenants.companies import service as companies
from tenants.members import admins, details, rows, telling
from tenants.members.admins import LastAdmin
from tenants.members.assignments import Difference, Place, Wanted, difference, write
from tenants.members.models import Membership
from tenants.members.rows import MemberKind, Row, State, shown_state
from tenants.people import service as people
from tenants.people.service import Newcomer, NotAnAddress
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

__all__ = [
    "MANAGE",
    "READ",
    "Added",
    "AlreadyMember",
    "BeyondReach",
    "Blocked",
    "LastAdmin",
    "MemberKind",
    "NotAnAddress",
    "NotValid",
    "State",
    "Wanted",
    "accept",
    "add",
    "area_of",
    "block",
    "change",
    "check_giving",
    "end_sessions",
    "give",
    "inform",
    "is_member",
    "leave",
    "names_of_places",
    "remove",
    "set_assignments",
    "shown_state",
    "take",
    "unblock",
]


READ = {
    MemberKind.MEMBER: Right(ACCOUNTS, "users:read"),
    MemberKind.CLIENT: Right(ACCOUNTS, "clients:read"),
}
MANAGE = {
    MemberKind.MEMBER: Right(ACCOUNTS, "users:manage"),
    MemberKind.CLIENT: Right(ACCOUNTS, "clients:manage"),
}


class AlreadyMember(Refused):
    """The account has a membership of this kind for this address."""

    status = 409
    reason = "already_member"


class Blocked(Refused):
    """The membership is blocked: its person can't do this."""

    status = 403
    reason = "membership_blocked"


class BeyondReach(NotPermitted):
    """What is to be changed reaches further than the power of whoever would change it."""

    reason = "beyond_reach"


@dataclass(frozen=True)
class Added:
    """What became of an addition. What the account may hear of it is `membership_id` and `state`."""

    membership_id: UUID
    state: State
    """As lists show it: the same for an address that had an ID and for one that had none."""
    person_id: UUID
    is_new_person: bool
    """Nobody had this address: the person has no way in yet. Not for the eyes of the account."""


def add(
    session: Session,
    account: str,
    *,
    email: str,
    kind: MemberKind = MemberKind.MEMBER,
    given_name: str | None = None,
    family_name: str | None = None,
    phone: str | None = None,
    locale: str | None = None,
    assignments: Sequence[Wanted] = (),
    actor: Actor,
    now: datetime,
    silently: bool = True,
    accepted: bool = False,
    by_right: Right | None = None,
) -> Added:
    """Tie a person to the account; who has no ID gets one that nobody can use yet.

    `silently`: no mail tells the person (TEN-7). `accepted`: the person said yes already, by taking
    up an invitation or by creating the account. `by_right` is the right that lets the actor add
    somebody, where it is not that of managing users or clients.

    Raises NotAnAddress, NotValid, NotPermitted, MayNotGrant, AlreadyMember, and what `accounts.hold`
    does. Who has power over some companies alone gives there to whoever is a member elsewhere, too.
    """
    power, area = area_of(actor, account, kind, by_right or MANAGE[kind])
    if kind is MemberKind.CLIENT and assignments:
        raise NotValid("assignments", "clients hold no roles")
    if not area.whole and not assignments:
        raise BeyondReach("a user without any role is the whole account's")
    address = people.canonical_email(email)
    written = details.cleaned(
        {"given_name": given_name, "family_name": family_name, "phone": phone, "locale": locale}
    )
    accounts.hold(session, account)
    given = difference((), assignments, now=now)
    _check_change(session, account, given, power, area)
    # The same statements for an address that has an ID and for one that has none.
    newcomer = Newcomer(
        address, written["given_name"], written["family_name"], locale=written["locale"]
    )
    is_new = address.key in people.create_many(session, [newcomer], now=now)
    person = people.find_by_email(session, email)
    if person is None:
        raise NotFound("the person is gone")
    membership = Row(
        account,
        id=new_id(),
        person_id=person.id,
        kind=kind,
        state=_first_state(kind, accepted=accepted, is_new=is_new),
        version=1,
        accepted_at=now if accepted else None,
    )
    sort_name = details.sort_name(written["given_name"], written["family_name"], address.key)
    if not rows.insert(
        session,
        membership,
        now,
        email=address.display,
        email_key=address.key,
        sort_name=sort_name,
        **written,
    ):
        return _add_there(session, account, person.id, kind, given, area, actor, now)
    write(session, account, membership.id, given, actor=actor.id, now=now)
    telling.tell(
        session,
        telling.ADDED,
        membership,
        actor.id,
        now,
        **telling.words(given),
        inform=not silently,
    )
    if accepted:
        _unflag(session, account)
    return Added(membership.id, _shown(membership), person.id, is_new)


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
    _check_change(session, account, difference((), assignments, now=now), power, area)


def change(
    session: Session,
    account: str,
    membership_id: UUID,
    values: Mapping[str, Any],
    *,
    kind: MemberKind = MemberKind.MEMBER,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Change names, phone or language as the account knows them; raises NotFound, BeyondReach, NotValid.

    The address is that of the ID, and stays (ID-3).
    """
    _, area = area_of(actor, account, kind, MANAGE[kind])
    found = _hold(session, account, membership_id, kind, area, now, version=version)
    _check_whole(found, area)
    written = details.cleaned(values)
    columns = (Membership.given_name, Membership.family_name, Membership.phone, Membership.locale)
    before = session.execute(select(*columns, Membership.email_key).where(*rows.this(found))).one()
    changed = {field: value for field, value in written.items() if getattr(before, field) != value}
    if not changed:
        return
    names = {"given_name": before.given_name, "family_name": before.family_name, **changed}
    sort_name = details.sort_name(names["given_name"], names["family_name"], before.email_key)
    rows.write(session, found, now, sort_name=sort_name, **changed)
    telling.tell(session, telling.CHANGED, found, actor.id, now, fields=sorted(changed))


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
    found = _hold(session, account, membership_id, MemberKind.MEMBER, area, now, version=version)
    held = [one for one in found.held if _is_within(area, one.company)]
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
    found = _hold(session, account, membership_id, MemberKind.MEMBER, area, now)
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
    found = _hold(session, account, membership_id, MemberKind.MEMBER, area, now)
    held = [one for one in found.held if one.place == place and _is_within(area, one.company)]
    return _rearrange(session, found, difference(held, (), now=now), power, area, actor, now)


def block(
    session: Session,
    account: str,
    membership_id: UUID,
    *,
    kind: MemberKind = MemberKind.MEMBER,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> bool:
    """Let the membership be good for nothing; answers whether that is news.

    Sign-ins up to now do not count here again, also once it is unblocked (SECURITY 5.5). The last admin can't be blocked, but by the operator: then the account waits for one.
    """
    power, area = area_of(actor, account, kind, MANAGE[kind])
    found = _hold(session, account, membership_id, kind, area, now, version=version, power=power)
    _check_taking(session, found, power, area)
    if found.state is State.BLOCKED:
        return False
    is_last = _is_last_admin(session, found)
    if is_last and not power.installation:
        raise LastAdmin(f"membership {found.id} is the last admin of {account}")
    rows.write(session, found, now, state=State.BLOCKED, signed_out_at=now)
    telling.tell(session, telling.BLOCKED, found, actor.id, now)
    if is_last:
        accounts.flag(session, account, actor=actor.id, now=now)
    return True


def unblock(
    session: Session,
    account: str,
    membership_id: UUID,
    *,
    kind: MemberKind = MemberKind.MEMBER,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> bool:
    """Let a blocked membership be what it was; answers whether that is news.

    Who had not accepted yet is asked again. To give all that it holds back one must hold it.
    """
    power, area = area_of(actor, account, kind, MANAGE[kind])
    found = _hold(session, account, membership_id, kind, area, now, version=version, power=power)
    _check_taking(session, found, power, area)
    if found.state is not State.BLOCKED:
        return False
    is_in = found.accepted_at is not None or kind is MemberKind.CLIENT
    rows.write(session, found, now, state=State.ACTIVE if is_in else State.PENDING)
    telling.tell(session, telling.UNBLOCKED, found, actor.id, now)
    _unflag(session, account)
    return True


def remove(
    session: Session,
    account: str,
    membership_id: UUID,
    *,
    kind: MemberKind = MemberKind.MEMBER,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """End a membership («Usuń użytkownika»); the person keeps the ID. Raises LastAdmin, BeyondReach, …"""
    power, area = area_of(actor, account, kind, MANAGE[kind])
    found = _hold(session, account, membership_id, kind, area, now, version=version, power=power)
    _check_taking(session, found, power, area)
    _keep_an_admin(session, found)
    rows.remove(session, found, now)
    telling.tell(session, telling.REMOVED, found, actor.id, now)


def end_sessions(
    session: Session,
    account: str,
    membership_id: UUID,
    *,
    kind: MemberKind = MemberKind.MEMBER,
    actor: Actor,
    now: datetime,
) -> None:
    """Let no sign-in up to now be used in this account any more; other accounts notice nothing."""
    power, area = area_of(actor, account, kind, MANAGE[kind])
    found = _hold(session, account, membership_id, kind, area, now, power=power)
    _check_taking(session, found, power, area)
    rows.write(session, found, now, signed_out_at=now)
    telling.tell(session, telling.SIGNED_OUT, found, actor.id, now, of=kind)


def inform(
    session: Session,
    account: str,
    membership_id: UUID,
    *,
    kind: MemberKind = MemberKind.MEMBER,
    actor: Actor,
    now: datetime,
) -> None:
    """Have the person told by mail, now or again (TEN-7); raises NotFound, NotPermitted, Blocked.

    Which mail that is, depends on whether they have a way in, and the account does not learn it.
    """
    _, area = area_of(actor, account, kind, MANAGE[kind])
    found = _hold(session, account, membership_id, kind, area, now)
    if found.state is State.BLOCKED:
        raise Blocked(f"membership {membership_id}")
    telling.tell(session, telling.INFORMED, found, actor.id, now)


def accept(session: Session, account: str, *, person_id: UUID, now: datetime) -> bool:
    """The person takes the place that the account gave them; answers whether that is news.

    Raises NotFound where there is none, and Blocked.
    """
    accounts.hold(session, account)
    found = rows.of_person(session, account, person_id)
    if found.state is State.BLOCKED:
        raise Blocked(f"membership {found.id}")
    if found.accepted_at is not None:
        return False
    rows.write(session, found, now, state=State.ACTIVE, accepted_at=now)
    telling.tell(session, telling.ACCEPTED, found, f"person:{person_id}", now)
    _unflag(session, account)
    return True


def leave(session: Session, account: str, *, person_id: UUID, now: datetime) -> None:
    """The person gives up their place, or does not take it; raises NotFound, Blocked, LastAdmin."""
    accounts.hold(session, account, even_suspended=True)
    found = rows.of_person(session, account, person_id)
    if found.state is State.BLOCKED:
        raise Blocked(f"membership {found.id}")
    _keep_an_admin(session, found)
    rows.remove(session, found, now)
    telling.tell(session, telling.LEFT, found, f"person:{person_id}", now)


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


def is_member(session: Session, account: str, email_key: str) -> bool:
    """Whether the address is that of a user of the account, in whatever state."""
    found = select(Membership.id).where(
        Membership.tenant_id == account,
        Membership.kind == MemberKind.MEMBER,
        Membership.email_key == email_key,
    )
    return session.scalars(found.limit(1)).first() is not None


def names_of_places(session: Session, account: str, places: Sequence[Place]) -> tuple[str, ...]:
    """What these roles are called, and the companies on which they hold, for people to read."""
    known = roles.known(session, account, {place.role_id for place in places})
    at = companies.find_all(session, account, {one.company for one in places if one.company})
    return tuple(
        known[one.role_id].name + (f" ({at[one.company].name})" if one.company in at else "")
        for one in places
        if one.role_id in known
    )


def _shown(membership: Row) -> State:
    return shown_state(membership.kind, membership.state, membership.accepted_at)


def _first_state(kind: MemberKind, *, accepted: bool, is_new: bool) -> State:
    if kind is MemberKind.CLIENT or accepted or is_new:
        return State.ACTIVE
    return State.PENDING


def _is_within(area: Reach, company: str | None) -> bool:
    return area.whole or company in area.companies


def _add_there(
    session: Session,
    account: str,
    person_id: UUID,
    kind: MemberKind,
    given: Difference,
    area: Reach,
    actor: Actor,
    now: datetime,
) -> Added:
    """Somebody is a member already: news only for whoever does not see them."""
    found = rows.of_person(session, account, person_id, kind, now=now)
    if area.whole or any(_is_within(area, one.company) for one in found.held):
        raise AlreadyMember(f"{person_id} is in {account} already")
    write(session, account, found.id, given, actor=actor.id, now=now)
    rows.write(session, found, now)
    telling.tell(session, telling.ROLES_CHANGED, found, actor.id, now, **telling.words(given))
    return Added(found.id, _shown(found), person_id, is_new_person=False)


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
    _check_change(session, found.account, change, power, area)
    lost = {one.place for one in (*change.taken, *change.prolonged)}
    if any(one.is_admin and one.company is None and one.place in lost for one in found.held):
        _keep_an_admin(session, found)
    write(session, found.account, found.id, change, actor=actor.id, now=now)
    rows.write(session, found, now)
    telling.tell(session, telling.ROLES_CHANGED, found, actor.id, now, **telling.words(change))
    _unflag(session, found.account)
    return True


def _check_change(
    session: Session, account: str, change: Difference, power: Power, area: Reach
) -> None:
    """Whether these roles are the actor's to give and take, and can be held where they are given."""
    if not all(_is_within(area, one.company) for one in change.touched):
        raise BeyondReach("users are managed on some companies alone")
    _check_grants(session, account, [one.place for one in change.touched], power)
    wanted = {one.company for one in change.given if one.company is not None}
    known = companies.find_all(session, account, wanted) if wanted else {}
    if any(key not in known or not known[key].is_active for key in wanted):
        raise NotValid("assignments", "no such company")


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


def _check_whole(found: Row, area: Reach) -> None:
    """Whether nothing of a membership is outside of the area of whoever changes it as a whole."""
    if not all(_is_within(area, one.company) for one in found.held):
        raise BeyondReach(f"membership {found.id} has roles elsewhere")


def _check_taking(session: Session, found: Row, power: Power, area: Reach) -> None:
    """To block, remove or sign out a member is to take, for a while or for good, all that they hold."""
    _check_whole(found, area)
    _check_grants(session, found.account, [one.place for one in found.held], power)


def _keep_an_admin(session: Session, found: Row) -> None:
    if _is_last_admin(session, found):
        raise LastAdmin(f"membership {found.id} is the last admin of {found.account}")


def _is_last_admin(session: Session, found: Row) -> bool:
    return admins.acts_as_admin(session, found.account, found.id) and not admins.has_admin(
        session, found.account, besides=found.id
    )


def _unflag(session: Session, account: str) -> None:
    if admins.has_admin(session, account):
        accounts.unflag(session, account)


def _hold(
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
    if not area.whole and not any(_is_within(area, one.company) for one in found.held):
        raise NotFound(f"membership {membership_id} is out of sight")
    if version is not None and version != found.version:
        raise VersionConflict(f"membership {membership_id} is at version {found.version}")
    return found
