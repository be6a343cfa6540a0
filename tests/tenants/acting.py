"""Actors for tests: each kind of person that can stand in an account, with the power that follows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tenants.applications import own
from tenants.applications import service as applications
from tenants.applications.service import ACCOUNTS, Declared
from tenants.audit import account_chain, ledger
from tenants.database import db
from tenants.facts.models import Fact
from tenants.members.models import Assignment, Membership
from tenants.roles.power import OPERATOR, Actor, power_of
from tenants.standing import service as standings
from tests.tenants import making
from tests.tenants.making import Made, a_member, a_person, a_role, an_account

BOSS = Actor("operator", OPERATOR)
SEE, EDIT = ("crm", "contacts:read"), ("crm", "contacts:write")
USERS = ((ACCOUNTS, "users:read"), (ACCOUNTS, "users:manage"))
ROLES = ((ACCOUNTS, "roles:read"), (ACCOUNTS, "roles:manage"))
CLIENTS = ((ACCOUNTS, "clients:read"), (ACCOUNTS, "clients:manage"))


@dataclass(frozen=True)
class Someone:
    """A member, who they are, and who they act as."""

    membership: UUID
    person: UUID
    actor: Actor


@dataclass(frozen=True)
class Office:
    """An account with a second company, two roles, and an application that both of them are about."""

    account: Made
    second: str
    selling: UUID
    """May see contacts, and manage users."""
    watching: UUID
    """May see contacts."""
    editing: UUID
    """May edit contacts."""

    @property
    def id(self) -> str:
        return self.account.id

    @property
    def main(self) -> str:
        return self.account.main_company

    def someone(self, *roles: UUID | tuple[UUID, str | None], **changes) -> Someone:
        """A member with these roles."""
        person = a_person()
        membership = a_member(self.id, person, roles=roles, **changes)
        return Someone(membership, person, self.acting(person))

    def admin(self) -> Someone:
        """One more admin of the whole account."""
        return self.someone(self.account.admin_role)

    def admin_of(self, company: str) -> Someone:
        """Somebody with the admin role on one company."""
        return self.someone((self.account.admin_role, company))

    def seller(self, company: str | None = None) -> Someone:
        """Somebody who manages users, in the whole account or on one company, and is no admin."""
        return self.someone((self.selling, company))

    def acting(self, person: UUID) -> Actor:
        """Who a person acts as, now."""
        with db.reading(everywhere=True) as session:
            standing = standings.of(
                session, account=self.id, company=None, person_id=person, now=making.LONG_AGO
            )
        return Actor(f"person:{person}", power_of(standing))


def an_office(name: str = "Zielony Dom") -> Office:
    """An account that has the application `crm`."""
    declare(making.LONG_AGO)
    account = an_account(name, applications=["crm"])
    second = making.a_company(account.id)
    return Office(
        account,
        second,
        selling=a_role(account.id, "Sprzedaż", rights=(SEE, *USERS)),
        watching=a_role(account.id, "Podgląd", rights=(SEE,)),
        editing=a_role(account.id, "Edycja", rights=(SEE, EDIT)),
    )


def declare(now: datetime, *more: Declared) -> None:
    """The identity program's own permissions, and those of a small CRM."""
    with db.transaction() as session:
        applications.declare(
            session,
            application=ACCOUNTS,
            name="Konto",
            audience="http://localhost:9000/api",
            context="account",
            for_every_account=True,
            permissions=own.PERMISSIONS,
            now=now,
        )
        applications.declare(
            session,
            application="crm",
            name="CRM",
            audience="http://localhost:9002/api",
            context="account",
            for_every_account=False,
            permissions=(
                Declared("contacts:read", "See contacts", "Podgląd kontaktów"),
                Declared("contacts:write", "Edit contacts", "Edycja kontaktów"),
                *more,
            ),
            now=now,
        )


def trail(account: str) -> list[str]:
    """What the account's history says, oldest first."""
    with db.reading() as session:
        return [row.event for row in ledger.history(session, chain=account_chain(account))][::-1]


def actors(account: str) -> set[str | None]:
    """Who did all that."""
    with db.reading() as session:
        return {row.actor for row in ledger.history(session, chain=account_chain(account))}


def facts() -> list[tuple[str, str | None, UUID | None]]:
    """What others hear of: kind, account and person, oldest first."""
    with db.reading() as session:
        return [
            (fact.kind, fact.account, fact.person_id)
            for fact in session.query(Fact).order_by(Fact.number)
        ]


def membership(account: str, membership_id: UUID) -> Membership | None:
    """The row of a membership."""
    with db.reading(tenant=account) as session:
        return (
            session.query(Membership)
            .where(Membership.tenant_id == account, Membership.id == membership_id)
            .one_or_none()
        )


def holdings(account: str, membership_id: UUID) -> set[tuple[UUID, str | None, datetime | None]]:
    """What a member holds: role, company, end."""
    with db.reading(tenant=account) as session:
        rows = session.query(Assignment).where(
            Assignment.tenant_id == account, Assignment.membership_id == membership_id
        )
        return {(row.role_id, row.company_id, row.expires_at) for row in rows}
