"""Where a person may be: the accounts that they belong to, and the companies of one that they reach."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from tenants.accounts.models import Account
from tenants.applications.models import AccountApplication, Application
from tenants.companies.models import Company
from tenants.members.models import Membership
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


def of_person(session: Session, person_id: UUID) -> tuple[Place, ...]:
    """All accounts of a person, by name. In a session for that person (`db.reading(person=…)`)."""
    rows = session.execute(
        select(
            Account.tenant_id,
            Account.name,
            Account.status,
            Membership.kind,
            Membership.state,
        )
        .join(Membership, Membership.tenant_id == Account.tenant_id)
        .where(Membership.person_id == person_id)
        .order_by(Account.sort_name, Account.tenant_id)
    ).all()
    given = _given(session, person_id)
    for_all = frozenset(
        session.scalars(select(Application.id).where(Application.for_every_account))
    )
    names = {row.tenant_id: (row.name, row.status) for row in rows}
    states = {(row.tenant_id, row.kind): row.state for row in rows}
    return tuple(
        Place(
            account=account,
            name=name,
            status=status,
            member_state=states.get((account, MEMBER)),
            client_state=states.get((account, CLIENT)),
            applications=for_all | given[account],
        )
        for account, (name, status) in names.items()
    )


def _given(session: Session, person_id: UUID) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in session.execute(
        select(AccountApplication.tenant_id, AccountApplication.application_id)
        .join(Membership, Membership.tenant_id == AccountApplication.tenant_id)
        .where(Membership.person_id == person_id, Membership.kind == MEMBER)
    ):
        found[row.tenant_id].add(row.application_id)
    return found


def companies_of(
    session: Session,
    standing: Standing,
    *,
    search: str = "",
    only: str | None = None,
    most: int,
) -> Sequence[CompanyPlace]:
    """The companies where the person holds a role, by name; all of them for who holds one on the account.

    With `only`, that one alone, if it is among them.
    """
    conditions: list[ColumnElement[bool]] = [
        Company.tenant_id == standing.account,
        Company.archived_at.is_(None),
    ]
    own = {role.company for role in standing.roles}
    if None not in own:
        conditions.append(Company.id.in_([company for company in own if company is not None]))
    if only is not None:
        conditions.append(Company.id == only)
    if search:
        conditions.append(Company.sort_name.contains(search.casefold(), autoescape=True))
    rows = session.execute(
        select(Company.id, Company.name)
        .where(and_(*conditions))
        .order_by(Company.sort_name, Company.id)
        .limit(most)
    )
    return [CompanyPlace(row.id, row.name) for row in rows]
