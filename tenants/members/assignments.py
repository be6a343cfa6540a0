"""Which roles a membership holds, and where: read, compared, written.

Inner functions of the feature; whether somebody may give a role is decided by `tenants.roles.power`.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Table, delete, insert, or_, select
from sqlalchemy.orm import Session

from kernel.ids import new_id
from tenants.accounts.details import NotValid
from tenants.companies.models import Company
from tenants.members.models import Assignment
from tenants.roles.models import Role

MOST = 500
_TABLE = cast(Table, Assignment.__table__)


class Place(NamedTuple):
    """A role on the whole account, or on one company: held once or not at all."""

    role_id: UUID
    company: str | None


@dataclass(frozen=True)
class Wanted:
    """A role that somebody is to hold: on the whole account, or on one company; for good, or not."""

    role_id: UUID
    company: str | None = None
    expires_at: datetime | None = None

    @property
    def place(self) -> Place:
        return Place(self.role_id, self.company)


@dataclass(frozen=True)
class Held:
    """A role that somebody holds."""

    id: UUID
    role_id: UUID
    role_name: str
    is_admin: bool
    company: str | None
    company_is_archived: bool
    expires_at: datetime | None

    @property
    def place(self) -> Place:
        return Place(self.role_id, self.company)

    @property
    def wanted(self) -> Wanted:
        """The same, as it would be asked for."""
        return Wanted(self.role_id, self.company, self.expires_at)


@dataclass(frozen=True)
class Difference:
    """What has to happen so that somebody holds what is wanted."""

    given: tuple[Wanted, ...]
    prolonged: tuple[Wanted, ...]
    """Held already, with another end."""
    taken: tuple[Wanted, ...]

    def __bool__(self) -> bool:
        return bool(self.given or self.prolonged or self.taken)

    @property
    def touched(self) -> tuple[Wanted, ...]:
        return (*self.given, *self.prolonged, *self.taken)


def difference(held: Sequence[Held], wanted: Sequence[Wanted], *, now: datetime) -> Difference:
    """Compare what is held with what is wanted; raises NotValid for what nobody can hold."""
    by_place = {one.place: one for one in wanted}
    if len(by_place) != len(wanted) or len(wanted) > MOST:
        raise NotValid("assignments", "a role twice in one place, or too many")
    before = {one.place: one for one in held}
    given = [one for one in wanted if one.place not in before]
    prolonged = [
        one
        for one in wanted
        if one.place in before and before[one.place].expires_at != one.expires_at
    ]
    if any(one.expires_at and one.expires_at <= now for one in (*given, *prolonged)):
        raise NotValid("assignments", "an end that is over")
    taken = [one.wanted for one in held if one.place not in by_place]
    return Difference(tuple(given), tuple(prolonged), tuple(taken))


def held_by(
    session: Session, account: str, membership_ids: Collection[UUID], *, now: datetime
) -> dict[UUID, tuple[Held, ...]]:
    """What these memberships hold now: the whole account's first, then by company and name."""
    rows = session.execute(
        select(
            Assignment.membership_id,
            Assignment.id,
            Assignment.role_id,
            Role.name,
            Role.is_admin,
            Assignment.company_id,
            Company.archived_at,
            Assignment.expires_at,
        )
        .join(Role, (Role.tenant_id == Assignment.tenant_id) & (Role.id == Assignment.role_id))
        .outerjoin(
            Company,
            (Company.tenant_id == Assignment.tenant_id) & (Company.id == Assignment.company_id),
        )
        .where(
            Assignment.tenant_id == account,
            Assignment.membership_id.in_(membership_ids),
            counts(now),
        )
        .order_by(
            Assignment.company_id.is_not(None), Company.sort_name, Role.name_key, Assignment.id
        )
    )
    found: dict[UUID, list[Held]] = defaultdict(list)
    for row in rows:
        found[row.membership_id].append(
            Held(
                row.id,
                row.role_id,
                row.name,
                row.is_admin,
                row.company_id,
                row.archived_at is not None,
                row.expires_at,
            )
        )
    return {membership_id: tuple(found[membership_id]) for membership_id in membership_ids}


def counts(now: datetime) -> Any:
    """The condition for an assignment that has not ended."""
    return or_(Assignment.expires_at.is_(None), Assignment.expires_at > now)


def write(
    session: Session,
    account: str,
    membership_id: UUID,
    change: Difference,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Let the membership hold what it is to hold. One that ended and still has its row is replaced."""
    for place in {one.place for one in change.touched}:
        session.execute(delete(Assignment).where(*_at(account, membership_id, place)))
    rows = [
        {
            "tenant_id": account,
            "id": new_id(),
            "membership_id": membership_id,
            "role_id": one.role_id,
            "company_id": one.company,
            "expires_at": one.expires_at,
            "created_by": actor,
            "created_at": now,
        }
        for one in (*change.given, *change.prolonged)
    ]
    if rows:
        session.execute(insert(_TABLE), rows)


def _at(account: str, membership_id: UUID, place: Place) -> list[Any]:
    return [
        Assignment.tenant_id == account,
        Assignment.membership_id == membership_id,
        Assignment.role_id == place.role_id,
        Assignment.company_id.is_(None)
        if place.company is None
        else Assignment.company_id == place.company,
    ]
