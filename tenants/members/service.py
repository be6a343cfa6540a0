"""Members and clients of an account: added, changed, given roles, blocked, removed (TEN-6, TEN-7).

Inner functions take the session of the account's own transaction. Whoever changes a membership holds the
account, so such changes come one after another; what somebody may do is decided in `authority`.
Nothing here tells whether an address had an ID before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.errors import NotFound, Refused
from kernel.ids import new_id
from tenants.accounts import service as accounts
from tenants.accounts.details import NotValid
from tenants.companies import service as companies
from tenants.members import admins, blocks, details, rows, telling
from tenants.members.admins import LastAdmin
from tenants.members.assignments import Difference, Place, Wanted, difference, write
from tenants.members.authority import (
    MANAGE,
    BeyondReach,
    area_of,
    check_change,
    check_whole,
    hold,
    hold_to_take,
    is_within,
)
from tenants.members.models import Membership
from tenants.members.rows import MemberKind, Row, State, shown_state
from tenants.people import service as people
from tenants.people.service import Newcomer, NotAnAddress
from tenants.roles import service as roles
from tenants.roles.power import Actor, Reach, Right

__all__ = [
    "Added",
    "AlreadyMember",
    "Blocked",
    "LastAdmin",
    "MemberKind",
    "NotAnAddress",
    "NotValid",
    "State",
    "Wanted",
    "accept",
    "add",
    "block",
    "change",
    "end_sessions",
    "inform",
    "is_member",
    "leave",
    "names_of_places",
    "remove",
    "shown_state",
    "unblock",
]


class AlreadyMember(Refused):
    """The account has a membership of this kind for this address."""

    status = 409
    reason = "already_member"


class Blocked(Refused):
    """The membership is blocked: its person can't do this."""

    status = 403
    reason = "membership_blocked"


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
    check_change(session, account, given, power, area)
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
        admins.unflag(session, account)
    return Added(membership.id, _shown(membership), person.id, is_new)


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
    found = hold(session, account, membership_id, kind, area, now, version=version)
    check_whole(found, area)
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

    Sign-ins up to now do not count here again, also once it is unblocked (SECURITY 5.5). The last admin
    can't be blocked, but by the operator: then the account waits for one. A block by an application
    becomes that of whoever blocks there, too: the application can't undo it any more.
    """
    found = hold_to_take(session, account, membership_id, kind, actor, now, version=version)
    if not blocks.is_news(found, actor):
        return False
    is_last = admins.is_last(session, found)
    if is_last and not actor.power_in(account).installation:
        raise LastAdmin(f"membership {found.id} is the last admin of {account}")
    rows.write(session, found, now, state=State.BLOCKED, signed_out_at=now, blocked_by=actor.id)
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

    Who had not accepted yet is asked again. To give all that it holds back one must hold it. Raises
    BlockedByAnother where an application would undo what others decided.
    """
    found = hold_to_take(session, account, membership_id, kind, actor, now, version=version)
    if found.state is not State.BLOCKED:
        return False
    blocks.keep(found, actor)
    is_in = found.accepted_at is not None or kind is MemberKind.CLIENT
    state = State.ACTIVE if is_in else State.PENDING
    rows.write(session, found, now, state=state, blocked_by=None)
    telling.tell(session, telling.UNBLOCKED, found, actor.id, now)
    admins.unflag(session, account)
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
    """End a membership («Usuń użytkownika»); the person keeps the ID. Raises LastAdmin, BeyondReach, …

    And BlockedByAnother: who was removed could be added anew, and so be blocked no more.
    """
    found = hold_to_take(session, account, membership_id, kind, actor, now, version=version)
    blocks.keep(found, actor)
    admins.keep_one(session, found)
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
    found = hold_to_take(session, account, membership_id, kind, actor, now)
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
    found = hold(session, account, membership_id, kind, area, now)
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
    admins.unflag(session, account)
    return True


def leave(session: Session, account: str, *, person_id: UUID, now: datetime) -> None:
    """The person gives up their place, or does not take it; raises NotFound, Blocked, LastAdmin."""
    accounts.hold(session, account, even_suspended=True)
    found = rows.of_person(session, account, person_id)
    if found.state is State.BLOCKED:
        raise Blocked(f"membership {found.id}")
    admins.keep_one(session, found)
    rows.remove(session, found, now)
    telling.tell(session, telling.LEFT, found, f"person:{person_id}", now)


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
    if area.whole or any(is_within(area, one.company) for one in found.held):
        raise AlreadyMember(f"{person_id} is in {account} already")
    write(session, account, found.id, given, actor=actor.id, now=now)
    rows.write(session, found, now)
    telling.tell(session, telling.ROLES_CHANGED, found, actor.id, now, **telling.words(given))
    return Added(found.id, _shown(found), person_id, is_new_person=False)
