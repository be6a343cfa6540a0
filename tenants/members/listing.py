"""The users and clients of an account, as whoever may see them sees them («Użytkownicy»).

What is shown is the membership: its state, and the name that the account typed; nothing of the ID.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from kernel.errors import NotFound
from kernel.i18n.letters import in_order
from kernel.pages import Order, Page, PageRequest, read
from tenants.companies import service as companies
from tenants.members import details
from tenants.members.assignments import Held, counts, held_by
from tenants.members.authority import READ, area_of
from tenants.members.models import Assignment, Membership
from tenants.members.rows import MemberKind, State, shown_state
from tenants.roles.power import Actor, Reach

__all__ = [
    "ORDERS",
    "MemberSummary",
    "count",
    "find",
    "find_any",
    "holders",
    "listed",
    "with_address",
]

ORDERS = {
    "name": (Membership.sort_name, Membership.id),
    "email": (Membership.email_key, Membership.id),
}
_MOST_WORDS = 5
_COLUMNS: tuple[Any, ...] = (
    Membership.id,
    Membership.person_id,
    Membership.kind,
    Membership.state,
    Membership.email,
    Membership.given_name,
    Membership.family_name,
    Membership.phone,
    Membership.locale,
    Membership.accepted_at,
    Membership.signed_out_at,
    Membership.version,
    Membership.created_at,
    Membership.updated_at,
    Membership.blocked_by,
)


@dataclass(frozen=True)
class MemberSummary:
    """A user or client of an account."""

    id: UUID
    person_id: UUID | None
    """None until the person came: an id tells when it was made, and so whether it is new."""
    kind: MemberKind
    state: State
    """`pending` until the person came, whether there was an ID or not."""
    email: str
    given_name: str | None
    family_name: str | None
    phone: str | None
    locale: str | None
    signed_out_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    blocked_by: str | None = None
    """Who blocked it, while it is, as the ledger names them."""
    assignments: tuple[Held, ...] = ()
    """The roles that the asker may see: all, or those on their companies."""
    companies: int = 0
    """«Firmy»: on how many the user works, as far as the asker sees; with a role on the whole account, on all."""
    has_more: bool = False
    """Whether there are roles that the asker does not see: then they can't change the user as a whole."""

    @property
    def name(self) -> str:
        """The full name, or an empty text."""
        return " ".join(part for part in (self.given_name, self.family_name) if part)


def listed(
    session: Session,
    account: str,
    *,
    kind: MemberKind = MemberKind.MEMBER,
    actor: Actor,
    asked: PageRequest,
    now: datetime,
    text: str = "",
    state: State | None = None,
    role: UUID | None = None,
    company: str | None = None,
    order: str = "name",
    descending: bool = False,
) -> Page[MemberSummary]:
    """Users or clients by name or address; raises NotFound, NotPermitted, CursorUnusable.

    `text` is words of which each is part of the name, the address or the phone. `company` is where
    somebody has a role of their own; `role` the one that they have anywhere, or there.
    """
    _, area = area_of(actor, account, kind, READ[kind])
    statement: Select[Any] = select(*_COLUMNS).where(
        Membership.tenant_id == account, Membership.kind == kind
    )
    for condition in _filters(text, state):
        statement = statement.where(condition)
    if not area.whole:
        statement = statement.where(_holds(account, now, Assignment.company_id.in_(area.companies)))
    narrowing = [Assignment.role_id == role] if role else []
    narrowing += [Assignment.company_id == company] if company else []
    if narrowing:
        narrowing += [] if area.whole else [Assignment.company_id.in_(area.companies)]
        statement = statement.where(_holds(account, now, *narrowing))
    page = read(
        session,
        statement,
        _summary,
        order=Order(order, ORDERS[order], descending=descending),
        asked=asked,
        bound_to=(
            *(account, "memberships", kind, text, state or "", str(role), str(company)),
            *sorted(area.companies),
        ),
        with_total=True,
    )
    return replace(page, items=_with_roles(session, account, page.items, area, now))


def find(
    session: Session,
    account: str,
    membership_id: UUID,
    *,
    kind: MemberKind = MemberKind.MEMBER,
    actor: Actor,
    now: datetime,
) -> MemberSummary:
    """One user or client; raises NotFound, also for who is out of the asker's sight, and NotPermitted."""
    _, area = area_of(actor, account, kind, READ[kind])
    row = session.execute(
        select(*_COLUMNS).where(
            Membership.tenant_id == account,
            Membership.id == membership_id,
            Membership.kind == kind,
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"no membership {membership_id} in {account}")
    found = _with_roles(session, account, (_summary(*row),), area, now)[0]
    if not area.whole and not found.assignments:
        raise NotFound(f"membership {membership_id} is out of sight")
    return found


def find_any(
    session: Session, account: str, membership_id: UUID, *, actor: Actor, now: datetime
) -> MemberSummary:
    """The same, of whichever kind it is."""
    kind = session.scalar(
        select(Membership.kind).where(
            Membership.tenant_id == account, Membership.id == membership_id
        )
    )
    if kind is None:
        raise NotFound(f"no membership {membership_id} in {account}")
    return find(session, account, membership_id, kind=MemberKind(kind), actor=actor, now=now)


def count(session: Session, account: str, *, kind: MemberKind = MemberKind.MEMBER) -> int:
    """How many users, or clients, the account has; clients are never counted as users."""
    return session.execute(
        select(func.count())
        .select_from(Membership)
        .where(Membership.tenant_id == account, Membership.kind == kind)
    ).scalar_one()


def holders(session: Session, account: str, *, now: datetime) -> dict[UUID, int]:
    """How many users hold each role, anywhere in the account; roles that nobody holds are left out."""
    rows = session.execute(
        select(Assignment.role_id, func.count(Assignment.membership_id.distinct()))
        .where(Assignment.tenant_id == account, counts(now))
        .group_by(Assignment.role_id)
    )
    return {row[0]: row[1] for row in rows}


def _filters(text: str, state: State | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for word in details.folded(text).split()[:_MOST_WORDS]:
        places = (
            (Membership.sort_name, in_order(word)),
            (Membership.email_key, word),
            (Membership.phone, word),
        )
        conditions.append(or_(*(place.contains(part, autoescape=True) for place, part in places)))
    has_come = or_(Membership.accepted_at.is_not(None), Membership.kind == MemberKind.CLIENT)
    if state is State.PENDING:
        conditions.append(
            or_(
                Membership.state == State.PENDING,
                and_(Membership.state == State.ACTIVE, ~has_come),
            )
        )
    elif state is State.ACTIVE:
        conditions += [Membership.state == State.ACTIVE, has_come]
    elif state is State.BLOCKED:
        conditions.append(Membership.state == State.BLOCKED)
    return conditions


def _holds(account: str, now: datetime, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        Assignment.tenant_id == account,
        Assignment.tenant_id == Membership.tenant_id,
        Assignment.membership_id == Membership.id,
        counts(now),
        *conditions,
    )


def _summary(
    membership_id: UUID,
    person_id: UUID,
    kind: str,
    state: str,
    email: str,
    given_name: str | None,
    family_name: str | None,
    phone: str | None,
    locale: str | None,
    accepted_at: datetime | None,
    *rest: Any,
) -> MemberSummary:
    return MemberSummary(
        membership_id,
        person_id if accepted_at is not None else None,
        MemberKind(kind),
        shown_state(MemberKind(kind), State(state), accepted_at),
        email,
        given_name,
        family_name,
        phone,
        locale,
        *rest,
    )


def with_address(
    session: Session, account: str, email_key: str, *, kind: MemberKind
) -> UUID | None:
    """The membership of this kind that the address has in the account, in whatever state."""
    return session.scalar(
        select(Membership.id).where(
            Membership.tenant_id == account,
            Membership.kind == kind,
            Membership.email_key == email_key,
        )
    )


def _with_roles(
    session: Session,
    account: str,
    items: Sequence[MemberSummary],
    area: Reach,
    now: datetime,
) -> tuple[MemberSummary, ...]:
    if not items:
        return ()
    held = held_by(session, account, [item.id for item in items], now=now)
    everywhere = (
        companies.count(session, account)
        if any(one.company is None for roles in held.values() for one in roles)
        else 0
    )
    return tuple(_with(item, held[item.id], area, everywhere) for item in items)


def _with(
    item: MemberSummary, held: tuple[Held, ...], area: Reach, everywhere: int
) -> MemberSummary:
    seen = tuple(one for one in held if area.whole or one.company in area.companies)
    working = {one.company for one in seen if not one.company_is_archived}
    return replace(
        item,
        assignments=seen,
        companies=everywhere if None in working else len(working),
        has_more=len(seen) < len(held),
    )
