"""Where a person may be: the accounts that they belong to, and the companies of one that they reach."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from kernel.pages import Order, Page, PageRequest, every, read
from tenants.accounts import details
from tenants.accounts.models import Account
from tenants.applications.models import AccountApplication, Application
from tenants.companies.models import Company
from tenants.members.assignments import counts
from tenants.members.models import Assignment, Membership
from tenants.standing.service import ACTIVE, CLIENT, MEMBER, PENDING, Standing


@dataclass(frozen=True)
class Place:
    """An account that a person belongs to, in one or both kinds."""

    account: str
    name: str
    status: str
    member_state: str | None
    client_state: str | None
    applications: frozenset[str]
    """Those that the account has, those that every account has among them."""

    def is_open_for(self, application: str | None) -> bool:
        """Whether the person, as a member, may use this application there."""
        return self._has(application) and self.member_state == ACTIVE

    def waits_for(self, application: str | None) -> bool:
        """Whether they could, if they took the place that the account gave them."""
        return self._has(application) and self.member_state == PENDING

    def _has(self, application: str | None) -> bool:
        return self.status == ACTIVE and application in self.applications


@dataclass(frozen=True)
class CompanyPlace:
    """A company within a member's reach."""

    id: str
    name: str


@dataclass(frozen=True)
class _Named:
    account: str
    name: str
    status: str
    member_state: str | None
    client_state: str | None


_BY_NAME = Order("name", (Account.sort_name, Account.tenant_id))


def of_person(session: Session, person_id: UUID) -> tuple[Place, ...]:
    """All accounts of a person, by name. In a session for that person (`db.reading(person=…)`)."""
    return tuple(every(lambda asked: listed(session, person_id, asked=asked)))


def listed(
    session: Session, person_id: UUID, *, asked: PageRequest, only: str | None = None
) -> Page[Place]:
    """A page of the same, or with `only` this one account, if it is among them."""
    statement = (
        select(
            Account.tenant_id, Account.name, Account.status, _state_as(MEMBER), _state_as(CLIENT)
        )
        .join(Membership, Membership.tenant_id == Account.tenant_id)
        .where(Membership.person_id == person_id)
        .group_by(Account.tenant_id, Account.name, Account.status, Account.sort_name)
    )
    if only is not None:
        statement = statement.where(Account.tenant_id == only)
    page = read(
        session,
        statement,
        _Named,
        order=_BY_NAME,
        asked=asked,
        bound_to=("contexts", str(person_id), only or ""),
    )
    return Page(_places(session, person_id, page.items), page.next)


def _state_as(kind: str) -> ColumnElement[str | None]:
    """Of the rows of both kinds, the state of the one."""
    return func.max(case((Membership.kind == kind, Membership.state)))


def _places(session: Session, person_id: UUID, named: Sequence[_Named]) -> tuple[Place, ...]:
    if not named:
        return ()
    accounts = [one.account for one in named]
    given = _given(session, person_id, accounts)
    for_all = frozenset(
        session.scalars(select(Application.id).where(Application.for_every_account))
    )
    return tuple(
        Place(
            account=one.account,
            name=one.name,
            status=one.status,
            member_state=one.member_state,
            client_state=one.client_state,
            applications=for_all | given[one.account],
        )
        for one in named
    )


def _given(session: Session, person_id: UUID, accounts: Collection[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in session.execute(
        select(AccountApplication.tenant_id, AccountApplication.application_id)
        .join(Membership, Membership.tenant_id == AccountApplication.tenant_id)
        .where(
            Membership.person_id == person_id,
            Membership.kind == MEMBER,
            AccountApplication.tenant_id.in_(accounts),
        )
    ):
        found[row.tenant_id].add(row.application_id)
    return found


def companies_in(
    session: Session,
    person_id: UUID,
    accounts: Collection[str],
    *,
    only: str | None = None,
    most: int,
    now: datetime,
) -> Mapping[str, Sequence[CompanyPlace]]:
    """The companies where the person holds a role as an active member, by name, of each account.

    `most` of each; with `only`, that one alone. In a session for all accounts: one statement, however
    many there are. What it finds is the person's own, by their membership in each.
    """
    is_held = exists().where(
        Assignment.tenant_id == Membership.tenant_id,
        Assignment.membership_id == Membership.id,
        or_(Assignment.company_id.is_(None), Assignment.company_id == Company.id),
        counts(now),
    )
    conditions: list[ColumnElement[bool]] = [
        Membership.person_id == person_id,
        Membership.kind == MEMBER,
        Membership.state == ACTIVE,
        Membership.tenant_id.in_(accounts),
        Company.archived_at.is_(None),
        is_held,
    ]
    if only is not None:
        conditions.append(Company.id == only)
    by_name = (Company.sort_name, Company.id)
    rank = func.row_number().over(partition_by=Company.tenant_id, order_by=by_name)
    ranked = (
        select(Company.tenant_id, Company.id, Company.name, rank.label("rank"))
        .join(Membership, Membership.tenant_id == Company.tenant_id)
        .where(*conditions)
        .subquery()
    )
    found: dict[str, list[CompanyPlace]] = defaultdict(list)
    for row in session.execute(
        select(ranked).where(ranked.c.rank <= most).order_by(ranked.c.tenant_id, ranked.c.rank)
    ):
        found[row.tenant_id].append(CompanyPlace(row.id, row.name))
    return found


def companies_of(
    session: Session,
    standing: Standing,
    *,
    search: str = "",
    most: int,
) -> Sequence[CompanyPlace]:
    """The companies where the person holds a role, by name; all of them for who holds one on the account."""
    conditions: list[ColumnElement[bool]] = [
        Company.tenant_id == standing.account,
        Company.archived_at.is_(None),
    ]
    own = {role.company for role in standing.roles}
    if None not in own:
        conditions.append(Company.id.in_([company for company in own if company is not None]))
    if search:
        conditions.append(Company.sort_name.contains(details.sort_name(search), autoescape=True))
    rows = session.execute(
        select(Company.id, Company.name)
        .where(and_(*conditions))
        .order_by(Company.sort_name, Company.id)
        .limit(most)
    )
    return [CompanyPlace(row.id, row.name) for row in rows]
