"""Accounts, companies, roles and members for tests: rows as they are, without asking any service.

Everything is valid until told otherwise.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kernel.crypto import new_token
from kernel.i18n.letters import in_order
from tenants.accounts.models import Account
from tenants.applications.models import AccountApplication, Application, Permission
from tenants.companies.models import Company
from tenants.database import db
from tenants.members.models import Assignment, Membership
from tenants.people import service as people
from tenants.people.models import Person
from tenants.roles.models import Role, RolePermission

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    """An account with its main company and its admin role."""

    id: str
    main_company: str
    admin_role: UUID


def a_person(email: str | None = None) -> UUID:
    """Somebody with an ID, and without any way in."""
    email = email or f"{new_token(64).lower()}@example.com"
    with db.transaction() as session:
        return people.create(session, email=email, now=LONG_AGO).id


def an_account(name: str = "Zielony Dom", **changes: Any) -> Made:
    """An account with its main company and the admin role, and with nobody in it."""
    account = changes.pop("tenant_id", None) or secrets.token_hex(6)
    applications: Iterable[str] = changes.pop("applications", ())
    values: dict[str, Any] = {
        "name": name,
        "sort_name": in_order(name),
        "is_accounting_office": False,
    }
    values |= _STAMPS | changes
    with db.transaction(tenant=account) as session:
        session.add(Account(tenant_id=account, **values))
        session.flush()
        company = _company(session, account, name, is_main=True)
        role = _role(session, account, "admin", is_admin=True)
        for application in applications:
            _give(session, account, application)
    return Made(account, company, role)


def change_account(account: str, **changes: Any) -> None:
    """Set columns of an account's row."""
    with db.transaction(tenant=account) as session:
        session.execute(update(Account).where(Account.tenant_id == account).values(**changes))


def a_company(account: str, name: str = "Budowa", **changes: Any) -> str:
    """One more company of the account."""
    with db.transaction(tenant=account) as session:
        return _company(session, account, name, **changes)


def change_company(account: str, company: str, **changes: Any) -> None:
    """Set columns of a company's row."""
    with db.transaction(tenant=account) as session:
        session.execute(
            update(Company)
            .where(Company.tenant_id == account, Company.id == company)
            .values(**changes)
        )


def an_application(
    application: str = "crm", *, permissions: Sequence[str] = (), **changes: Any
) -> str:
    """An application with permissions; `account/audit:read` is one of the level `account`."""
    values: dict[str, Any] = {
        "name": application.upper(),
        "audience": f"https://{application}.example",
        "context": "account",
        "for_every_account": False,
    } | changes
    with db.transaction() as session:
        session.add(Application(id=application, **values, **_STAMPS))
        session.flush()
        for position, name in enumerate(permissions):
            level, _, name = name.rpartition("/")
            session.add(
                Permission(
                    application_id=application,
                    name=name,
                    label_en=name,
                    label_pl=name,
                    level=level or "company",
                    position=position,
                )
            )
    return application


def give(account: str, application: str) -> None:
    """Let the account have the application."""
    with db.transaction(tenant=account) as session:
        _give(session, account, application)


def take(account: str, application: str) -> None:
    """Let the account have it no more."""
    with db.transaction(tenant=account) as session:
        row = session.scalars(
            select(AccountApplication).where(
                AccountApplication.tenant_id == account,
                AccountApplication.application_id == application,
            )
        ).one()
        session.delete(row)


def a_role(
    account: str, name: str = "Sprzedaż", *, rights: Iterable[tuple[str, str]] = (), **changes: Any
) -> UUID:
    """A role with ticks: pairs of application and permission."""
    with db.transaction(tenant=account) as session:
        role = _role(session, account, name, **changes)
        for application, permission in rights:
            session.add(
                RolePermission(
                    tenant_id=account,
                    role_id=role,
                    application_id=application,
                    permission=permission,
                )
            )
    return role


def change_role(account: str, role: UUID, **changes: Any) -> None:
    """Set columns of a role's row."""
    with db.transaction(tenant=account) as session:
        session.execute(
            update(Role).where(Role.tenant_id == account, Role.id == role).values(**changes)
        )


def untick(account: str, role: UUID) -> None:
    """Take all ticks from a role."""
    with db.transaction(tenant=account) as session:
        for tick in session.scalars(
            select(RolePermission).where(
                RolePermission.tenant_id == account, RolePermission.role_id == role
            )
        ):
            session.delete(tick)


def a_member(
    account: str,
    person_id: UUID | None = None,
    *,
    roles: Iterable[UUID | tuple[UUID, str | None]] = (),
    **changes: Any,
) -> UUID:
    """A membership: an active member until told otherwise; a role alone is for the whole account."""
    person_id = person_id or a_person()
    with db.transaction(tenant=account) as session:
        person = session.get_one(Person, person_id)
        values: dict[str, Any] = {
            "kind": "member",
            "state": "active",
            "email": person.email,
            "email_key": person.email_key,
            "sort_name": person.email_key,
            "accepted_at": LONG_AGO,
        }
        membership = Membership(
            tenant_id=account, person_id=person_id, **(values | _STAMPS | changes)
        )
        session.add(membership)
        session.flush()
        for one in roles:
            role, company = one if isinstance(one, tuple) else (one, None)
            _assign(session, account, membership.id, role, company)
    return membership.id


def a_client(account: str, person_id: UUID | None = None, **changes: Any) -> UUID:
    """A client of the account."""
    return a_member(account, person_id, kind="client", **changes)


def change_member(account: str, membership: UUID, **changes: Any) -> None:
    """Set columns of a membership's row."""
    with db.transaction(tenant=account) as session:
        session.execute(
            update(Membership)
            .where(Membership.tenant_id == account, Membership.id == membership)
            .values(**changes)
        )


def remove_member(account: str, membership: UUID) -> None:
    """Take a membership away, and what it holds with it."""
    with db.transaction(tenant=account) as session:
        row = session.scalars(
            select(Membership).where(Membership.tenant_id == account, Membership.id == membership)
        ).one()
        session.delete(row)


def assign(
    account: str,
    membership: UUID,
    role: UUID,
    company: str | None = None,
    *,
    expires_at: datetime | None = None,
) -> None:
    """Let a member hold a role."""
    with db.transaction(tenant=account) as session:
        _assign(session, account, membership, role, company, expires_at=expires_at)


def unassign(account: str, membership: UUID) -> None:
    """Take all roles from a member."""
    with db.transaction(tenant=account) as session:
        for held in session.scalars(
            select(Assignment).where(
                Assignment.tenant_id == account, Assignment.membership_id == membership
            )
        ):
            session.delete(held)


_STAMPS = {"created_at": LONG_AGO, "updated_at": LONG_AGO}


def _company(session: Session, account: str, name: str, **changes: Any) -> str:
    key = secrets.token_hex(8)
    values = {"is_main": False, "sort_name": in_order(name)} | _STAMPS | changes
    session.add(Company(tenant_id=account, id=key, name=name, **values))
    session.flush()
    return key


def _role(session: Session, account: str, name: str, **changes: Any) -> UUID:
    values = {"is_admin": False} | _STAMPS | changes
    role = Role(tenant_id=account, name=name, name_key=name.casefold(), **values)
    session.add(role)
    session.flush()
    return role.id


def _give(session: Session, account: str, application: str) -> None:
    session.add(
        AccountApplication(tenant_id=account, application_id=application, given_at=LONG_AGO)
    )
    session.flush()


def _assign(
    session: Session,
    account: str,
    membership: UUID,
    role: UUID,
    company: str | None,
    *,
    expires_at: datetime | None = None,
) -> None:
    session.add(
        Assignment(
            tenant_id=account,
            membership_id=membership,
            role_id=role,
            company_id=company,
            expires_at=expires_at,
            created_at=LONG_AGO,
        )
    )
    session.flush()
