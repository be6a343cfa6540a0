"""The companies of an account: made, listed, edited, archived («firmy»).

Inner functions take the session of the account's own transaction. A company's id is its key: made here,
shown, no secret, and never given to another company, wherever it is (TEN-4). It stays on its account:
nothing here takes two accounts (TEN-5).
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, Table, func, or_, select, update
from sqlalchemy.orm import Session

from kernel.database import dialect_of, upsert
from kernel.errors import NotFound, Refused, VersionConflict
from kernel.pages import Order, Page, PageRequest, read
from tenants.accounts import details
from tenants.accounts import service as accounts
from tenants.accounts.details import NotANip, NotValid
from tenants.audit import record
from tenants.companies.models import Company
from tenants.events import CompanyEvent
from tenants.facts.service import Kind, note

__all__ = [
    "CompanySummary",
    "MainCompany",
    "NotANip",
    "NotValid",
    "archive",
    "change",
    "count",
    "create",
    "find",
    "find_all",
    "listed",
    "restore",
]

_TABLE = cast(Table, Company.__table__)
_COLUMNS: tuple[Any, ...] = (
    Company.id,
    Company.name,
    Company.nip,
    Company.street,
    Company.postcode,
    Company.town,
    Company.country,
    Company.is_main,
    Company.archived_at,
    Company.version,
    Company.created_at,
    Company.updated_at,
)
_BY_NAME = Order("name", (Company.sort_name, Company.id))
_TRIES = 20


class MainCompany(Refused):
    """The main company of an account can't be archived."""

    status = 409
    reason = "main_company"


@dataclass(frozen=True)
class CompanySummary:
    """What others may know of a company's row. `id` is its key."""

    id: str
    name: str
    nip: str | None
    street: str | None
    postcode: str | None
    town: str | None
    country: str
    is_main: bool
    archived_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def is_active(self) -> bool:
        return self.archived_at is None


def new_key() -> str:
    """A key for a company: sixteen random hex digits."""
    return secrets.token_hex(8)


def create(
    session: Session,
    account: str,
    values: Mapping[str, Any],
    *,
    actor: str,
    now: datetime,
    is_main: bool = False,
) -> CompanySummary:
    """A new company on an account; raises NotFound, AccountSuspended, NotValid."""
    accounts.hold(session, account)
    wanted = {"country": "PL", **details.cleaned(values)}
    if "name" not in wanted:
        raise NotValid("name", "missing")
    key = _insert(session, account, wanted, is_main=is_main, now=now)
    _tell(session, CompanyEvent.CREATED, Kind.COMPANY_CREATED, account, key, actor, now)
    return _sure(session, account, key)


def find(session: Session, account: str, company: str) -> CompanySummary | None:
    """The company with this key on this account, in whatever state."""
    row = session.execute(_by_id(account, company)).one_or_none()
    return CompanySummary(*row) if row is not None else None


def find_all(
    session: Session, account: str, companies: Collection[str]
) -> dict[str, CompanySummary]:
    """These companies of the account by their keys; what is none of its own is left out."""
    rows = session.execute(
        select(*_COLUMNS).where(Company.tenant_id == account, Company.id.in_(companies))
    )
    return {row.id: CompanySummary(*row) for row in rows}


def listed(
    session: Session,
    account: str,
    *,
    asked: PageRequest,
    text: str = "",
    archived: bool = False,
    among: Collection[str] | None = None,
) -> Page[CompanySummary]:
    """Companies by name, or the archived ones. `text` is part of a name, a NIP, or a key.

    `among` are the keys that the asker may see; None: all of them.
    """
    statement: Select[Any] = select(*_COLUMNS).where(
        Company.tenant_id == account,
        Company.archived_at.is_not(None) if archived else Company.archived_at.is_(None),
    )
    if text:
        statement = statement.where(
            or_(
                Company.sort_name.contains(details.sort_name(text), autoescape=True),
                Company.nip == text,
                Company.id == text,
            )
        )
    if among is not None:
        statement = statement.where(Company.id.in_(among))
    return read(
        session,
        statement,
        CompanySummary,
        order=_BY_NAME,
        asked=asked,
        bound_to=(account, "companies", text, str(archived)),
        with_total=True,
    )


def count(session: Session, account: str) -> int:
    """How many companies the account has, without those that are archived."""
    return session.execute(
        select(func.count())
        .select_from(Company)
        .where(Company.tenant_id == account, Company.archived_at.is_(None))
    ).scalar_one()


def change(
    session: Session,
    account: str,
    company: str,
    values: Mapping[str, Any],
    *,
    version: int | None,
    actor: str,
    now: datetime,
) -> CompanySummary:
    """Change a company's details; raises NotFound, AccountSuspended, NotValid, VersionConflict."""
    before = _hold(session, account, company, version)
    changed = {
        field: value
        for field, value in details.cleaned(values).items()
        if getattr(before, field) != value
    }
    if not changed:
        return before
    fields = sorted(changed)
    if "name" in changed:
        changed["sort_name"] = details.sort_name(changed["name"])
    _update(session, account, company, now, **changed)
    _tell(
        session,
        CompanyEvent.CHANGED,
        Kind.COMPANY_CHANGED,
        account,
        company,
        actor,
        now,
        fields=fields,
        personal={field: [getattr(before, field), changed[field]] for field in fields},
    )
    return _sure(session, account, company)


def archive(
    session: Session,
    account: str,
    company: str,
    *,
    version: int | None,
    actor: str,
    now: datetime,
) -> CompanySummary:
    """Put a company away: nobody works in it, and what was given on it waits. Not the main one."""
    before = _hold(session, account, company, version)
    if before.is_main:
        raise MainCompany(f"{company} is the main company of {account}")
    if before.archived_at is not None:
        return before
    _update(session, account, company, now, archived_at=now)
    _tell(session, CompanyEvent.ARCHIVED, Kind.COMPANY_ARCHIVED, account, company, actor, now)
    return _sure(session, account, company)


def restore(
    session: Session,
    account: str,
    company: str,
    *,
    version: int | None,
    actor: str,
    now: datetime,
) -> CompanySummary:
    """Take a company back out of the archive, with all that was given on it."""
    before = _hold(session, account, company, version)
    if before.archived_at is None:
        return before
    _update(session, account, company, now, archived_at=None)
    _tell(session, CompanyEvent.RESTORED, Kind.COMPANY_RESTORED, account, company, actor, now)
    return _sure(session, account, company)


def _hold(session: Session, account: str, company: str, version: int | None) -> CompanySummary:
    """The company, kept as it is until this transaction ends."""
    accounts.hold(session, account)
    before = find(session, account, company)
    if before is None:
        raise NotFound(f"no company {company} on {account}")
    if version is not None and version != before.version:
        raise VersionConflict(f"{company} is at version {before.version}")
    return before


def _insert(
    session: Session, account: str, wanted: dict[str, Any], *, is_main: bool, now: datetime
) -> str:
    """Insert under a key that no company has; a key that another account has is not seen as taken."""
    for _ in range(_TRIES):
        key = session.execute(
            upsert(dialect_of(session), _TABLE)
            .values(
                tenant_id=account,
                id=new_key(),
                sort_name=details.sort_name(wanted["name"]),
                is_main=is_main,
                created_at=now,
                updated_at=now,
                **wanted,
            )
            .on_conflict_do_nothing(index_elements=[_TABLE.c.id])
            .returning(_TABLE.c.id)
        ).scalar_one_or_none()
        if key is not None:
            return str(key)
    raise RuntimeError("random keys repeat: the randomness of this machine can't be trusted")


def _update(session: Session, account: str, company: str, now: datetime, **values: Any) -> None:
    session.execute(
        update(Company)
        .where(Company.tenant_id == account, Company.id == company)
        .values(**values, version=Company.version + 1, updated_at=now)
    )


def _tell(
    session: Session,
    event: CompanyEvent,
    kind: Kind,
    account: str,
    company: str,
    actor: str,
    now: datetime,
    *,
    personal: Mapping[str, Any] | None = None,
    **facts: Any,
) -> None:
    record(
        session,
        account=account,
        event=event,
        actor=actor,
        subject=f"company:{company}",
        now=now,
        details=facts,
        personal=personal,
    )
    note(session, kind, account=account, person_id=None, now=now, company=company, **facts)


def _by_id(account: str, company: str) -> Select[Any]:
    return select(*_COLUMNS).where(Company.tenant_id == account, Company.id == company)


def _sure(session: Session, account: str, company: str) -> CompanySummary:
    return CompanySummary(*session.execute(_by_id(account, company)).one())
