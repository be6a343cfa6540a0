"""Accounts as rows: found, listed, changed, held still. Their life from beginning to end is `lifecycle`.

Inner functions take the caller's session, which is the account's own (`db.transaction(tenant=…)`);
those for the operator say so.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, Table, or_, select, update
from sqlalchemy.orm import Session

from kernel.database import dialect_of, upsert
from kernel.errors import NotFound, Refused, VersionConflict
from kernel.pages import Order, Page, PageRequest, read
from tenants.accounts import details
from tenants.accounts.details import NotANip, NotValid
from tenants.accounts.models import Account
from tenants.audit import record
from tenants.events import AccountEvent
from tenants.facts.service import Kind, note

__all__ = [
    "AccountSummary",
    "AccountSuspended",
    "IdTaken",
    "NotANip",
    "NotValid",
    "Status",
    "change",
    "created_by",
    "find",
    "flag",
    "hold",
    "insert",
    "listed",
    "new_id",
    "set_status",
    "unflag",
]

_TABLE = cast(Table, Account.__table__)
_COLUMNS: tuple[Any, ...] = (
    Account.tenant_id,
    Account.name,
    Account.nip,
    Account.is_accounting_office,
    Account.street,
    Account.postcode,
    Account.town,
    Account.country,
    Account.status,
    Account.second_factor,
    Account.sign_in_hours,
    Account.flagged_at,
    Account.closed_at,
    Account.created_by,
    Account.version,
    Account.created_at,
    Account.updated_at,
)

OWN_FIELDS = frozenset({"is_accounting_office", "second_factor", "sign_in_hours"})
CHANGEABLE = details.FIELDS | OWN_FIELDS
SECOND_FACTORS = ("default", "strong")
LONGEST_SIGN_IN_HOURS = 24 * 90

_BY_NAME = Order("name", (Account.sort_name, Account.tenant_id))


class Status(StrEnum):
    """Whether an account can be used."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class AccountSuspended(Refused):
    """The operator has suspended the account: nothing in it changes."""

    status = 403
    reason = "account_suspended"


class IdTaken(Refused):
    """An account has, or had, this id."""

    status = 409
    reason = "id_taken"


@dataclass(frozen=True)
class AccountSummary:
    """What others may know of an account's row."""

    id: str
    name: str
    nip: str | None
    is_accounting_office: bool
    street: str | None
    postcode: str | None
    town: str | None
    country: str
    status: str
    second_factor: str
    sign_in_hours: int | None
    flagged_at: datetime | None
    closed_at: datetime | None
    created_by: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def is_active(self) -> bool:
        return self.status == Status.ACTIVE


def new_id() -> str:
    """An id for an account («ID Konta»): twelve random hex digits."""
    return secrets.token_hex(6)


def find(session: Session, account: str) -> AccountSummary | None:
    """The account with this id, in whatever state."""
    row = session.execute(_by_id(account)).one_or_none()
    return AccountSummary(*row) if row is not None else None


def hold(session: Session, account: str, *, even_suspended: bool = False) -> AccountSummary:
    """The account, kept as it is until this transaction ends; raises NotFound, AccountSuspended.

    Whoever else holds it waits: so the last admin, and the state of an account, are decided one after
    the other. What is closed is not found.
    """
    row = session.execute(_by_id(account).with_for_update()).one_or_none()
    if row is None or row.status == Status.CLOSED:
        raise NotFound(f"no account {account}")
    if row.status != Status.ACTIVE and not even_suspended:
        raise AccountSuspended(f"{account} is {row.status}")
    return AccountSummary(*row)


def listed(
    session: Session,
    *,
    asked: PageRequest,
    text: str = "",
    status: str | None = None,
    flagged: bool = False,
) -> Page[AccountSummary]:
    """For the operator: accounts by name. `text` is part of a name, a NIP, or an account ID."""
    statement: Select[Any] = select(*_COLUMNS)
    if text:
        statement = statement.where(
            or_(
                Account.sort_name.contains(details.sort_name(text), autoescape=True),
                Account.nip == text,
                Account.tenant_id == text,
            )
        )
    if status is not None:
        statement = statement.where(Account.status == status)
    if flagged:
        statement = statement.where(Account.flagged_at.is_not(None))
    return read(
        session,
        statement,
        AccountSummary,
        order=_BY_NAME,
        asked=asked,
        bound_to=("operator", "accounts", text, status or "", str(flagged)),
        with_total=True,
    )


def created_by(session: Session, person_id: UUID) -> list[AccountSummary]:
    """For the operator: the accounts that a person has created, the closed ones too."""
    found = select(*_COLUMNS).where(Account.created_by == person_id).order_by(Account.created_at)
    return [AccountSummary(*row) for row in session.execute(found)]


def insert(
    session: Session,
    account: str,
    values: Mapping[str, Any],
    *,
    created_by: UUID | None,
    now: datetime,
) -> AccountSummary:
    """The row of a new account; raises NotValid, IdTaken. The rest of it is made by `lifecycle`."""
    wanted = {"is_accounting_office": False, "country": "PL", **_checked(values)}
    if "name" not in wanted:
        raise NotValid("name", "missing")
    made = session.execute(
        upsert(dialect_of(session), _TABLE)
        .values(
            tenant_id=account,
            sort_name=details.sort_name(wanted["name"]),
            created_by=created_by,
            created_at=now,
            updated_at=now,
            **wanted,
        )
        .on_conflict_do_nothing()
        .returning(_TABLE.c.tenant_id)
    ).first()
    if made is None:
        raise IdTaken(f"there is an account {account}")
    return _sure(session, account)


def change(
    session: Session,
    account: str,
    values: Mapping[str, Any],
    *,
    version: int | None,
    actor: str,
    now: datetime,
) -> AccountSummary:
    """Change an account's details; raises NotFound, AccountSuspended, NotValid, VersionConflict.

    `version` is that of the account as the asker read it; None asks for no particular one. The main
    company keeps its own name and NIP.
    """
    before = hold(session, account)
    if version is not None and version != before.version:
        raise VersionConflict(f"{account} is at version {before.version}")
    changed = {
        field: value for field, value in _checked(values).items() if getattr(before, field) != value
    }
    if not changed:
        return before
    if "name" in changed:
        changed["sort_name"] = details.sort_name(changed["name"])
    _update(session, account, now, **changed)
    fields = sorted(changed.keys() - {"sort_name"})
    record(
        session,
        account=account,
        event=AccountEvent.CHANGED,
        actor=actor,
        subject=f"account:{account}",
        now=now,
        details={"fields": fields},
        personal={field: [getattr(before, field), changed[field]] for field in fields},
    )
    note(session, Kind.ACCOUNT_CHANGED, account=account, person_id=None, now=now, fields=fields)
    return _sure(session, account)


def set_status(session: Session, account: str, status: Status, *, now: datetime) -> None:
    """Bring an account that is held into another state. What else follows is `lifecycle`'s."""
    closed = {"closed_at": now, "flagged_at": None} if status is Status.CLOSED else {}
    _update(session, account, now, status=status, **closed)


def flag(session: Session, account: str, *, actor: str, now: datetime) -> bool:
    """Note that no admin of the account can act; answers whether that is news."""
    found = session.execute(
        update(Account)
        .where(Account.tenant_id == account, Account.flagged_at.is_(None))
        .where(Account.status != Status.CLOSED)
        .values(flagged_at=now)
        .returning(Account.tenant_id)
    ).first()
    if found is None:
        return False
    record(
        session,
        account=account,
        event=AccountEvent.FLAGGED,
        actor=actor,
        subject=f"account:{account}",
        now=now,
    )
    return True


def unflag(session: Session, account: str) -> bool:
    """Note that an admin can act again; answers whether that is news."""
    found = session.execute(
        update(Account)
        .where(Account.tenant_id == account, Account.flagged_at.is_not(None))
        .values(flagged_at=None)
        .returning(Account.tenant_id)
    ).first()
    return found is not None


def _update(session: Session, account: str, now: datetime, **values: Any) -> None:
    session.execute(
        update(Account)
        .where(Account.tenant_id == account)
        .values(**values, version=Account.version + 1, updated_at=now)
    )


def _by_id(account: str) -> Select[Any]:
    return select(*_COLUMNS).where(Account.tenant_id == account)


def _sure(session: Session, account: str) -> AccountSummary:
    return AccountSummary(*session.execute(_by_id(account)).one())


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    own = {field: value for field, value in values.items() if field in OWN_FIELDS}
    checked = details.cleaned({f: value for f, value in values.items() if f not in OWN_FIELDS})
    if not isinstance(own.get("is_accounting_office", False), bool):
        raise NotValid("is_accounting_office", "not yes or no")
    if own.get("second_factor", SECOND_FACTORS[0]) not in SECOND_FACTORS:
        raise NotValid("second_factor", "no such rule")
    hours = own.get("sign_in_hours")
    is_number = isinstance(hours, int) and not isinstance(hours, bool)
    if hours is not None and not (is_number and 1 <= hours <= LONGEST_SIGN_IN_HOURS):
        raise NotValid("sign_in_hours", f"not from 1 to {LONGEST_SIGN_IN_HOURS}")
    return {**checked, **own}
