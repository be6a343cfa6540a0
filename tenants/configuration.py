"""The configuration of an account as one document: taken out, kept, brought back to the same account.

It holds the account's details, its companies, and its roles with their permissions; no people. It
carries the account ID and is signed, so that no other account takes it, whatever somebody writes over
the ID (TEN-5).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from kernel import program
from kernel.crypto import constant_time_equal, keyed_hash
from kernel.errors import Refused
from kernel.pages import every
from kernel.settings import Settings
from tenants.accounts import service as accounts
from tenants.accounts.service import CHANGEABLE
from tenants.applications import service as applications
from tenants.audit import record
from tenants.companies import service as companies
from tenants.companies.service import CompanySummary
from tenants.events import AccountEvent
from tenants.roles import service as roles
from tenants.roles.power import Actor, NotPermitted, Right, demand
from tenants.roles.rows import RoleSummary

__all__ = ["AnotherAccounts", "BroughtBack", "NotAConfiguration", "bring_back", "take_out"]

FORMAT: Literal["klucznik-account-configuration"] = "klucznik-account-configuration"
VERSION: Literal[1] = 1
LARGEST = 20_000_000
"""The most that a document may have, in bytes."""

_MANAGE = Right(applications.ACCOUNTS, "account:manage")
_OF_A_COMPANY = ("name", "nip", "street", "postcode", "town", "country")


class NotAConfiguration(Refused):
    """The document is no configuration that was taken out here, or it was changed since."""

    status = 422
    reason = "not_a_configuration"


class AnotherAccounts(Refused):
    """The configuration is another account's: nothing is copied from account to account."""

    status = 409
    reason = "configuration_of_another_account"


@dataclass(frozen=True)
class BroughtBack:
    """What bringing a configuration back has changed."""

    details: bool
    companies: tuple[str, ...]
    """The keys of those that are described otherwise now."""
    roles: tuple[UUID, ...]
    """Those that were changed or made again."""
    missing: tuple[Right, ...]
    """Permissions that can't be given now: retired, or of applications that the account has lost."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Company(_Strict):
    key: str
    name: str
    nip: str | None
    street: str | None
    postcode: str | None
    town: str | None
    country: str
    archived: bool


class _Role(_Strict):
    id: str
    name: str
    admin: bool
    second_factor: str
    permissions: dict[str, list[str]]


class _Document(_Strict):
    format: Literal["klucznik-account-configuration"]
    version: Literal[1]
    account: str
    taken_out_at: str
    details: dict[str, str | int | bool | None]
    companies: list[_Company]
    roles: list[_Role]
    signature: str


def take_out(session: Session, account: str, *, actor: Actor, now: datetime) -> dict[str, Any]:
    """The account's configuration, for JSON; raises NotFound, NotPermitted.

    For an admin, or the operator. That it was taken out is written into the audit trail.
    """
    _demand_admin(actor, account)
    found = accounts.hold(session, account)
    document = {
        "format": FORMAT,
        "version": VERSION,
        "account": account,
        "taken_out_at": now.isoformat(),
        "details": {field: getattr(found, field) for field in sorted(CHANGEABLE)},
        "companies": [_company(one) for one in _companies(session, account)],
        "roles": [_role(one) for one in roles.listed(session, account, actor=actor)],
    }
    _record(session, AccountEvent.CONFIGURATION_EXPORTED, account, actor, now)
    return {**document, "signature": _signature(document, _secrets()[0])}


def bring_back(
    session: Session, account: str, document: bytes | str, *, actor: Actor, now: datetime
) -> BroughtBack:
    """Make details, companies and roles what they were when the document was taken out.

    What came since stays: no company and no role is removed. Raises NotAConfiguration,
    AnotherAccounts, NotFound, NotPermitted, and what changing a role raises.
    """
    _demand_admin(actor, account)
    wanted = _read(document)
    if wanted.account != account:
        raise AnotherAccounts(f"of {wanted.account}, for {account}")
    before = accounts.hold(session, account)
    after = accounts.change(
        session, account, dict(wanted.details), version=None, actor=actor.id, now=now
    )
    missing: set[Right] = set()
    done = BroughtBack(
        details=after.version != before.version,
        companies=tuple(_bring_back_companies(session, account, wanted, actor, now)),
        roles=tuple(_bring_back_roles(session, account, wanted, actor, now, missing)),
        missing=tuple(sorted(missing)),
    )
    _record(
        session,
        AccountEvent.CONFIGURATION_IMPORTED,
        account,
        actor,
        now,
        taken_out_at=wanted.taken_out_at,
        companies=len(done.companies),
        roles=len(done.roles),
    )
    return done


def _bring_back_companies(
    session: Session, account: str, wanted: _Document, actor: Actor, now: datetime
) -> list[str]:
    changed = []
    there = companies.find_all(session, account, [one.key for one in wanted.companies])
    how: dict[str, Any] = {"version": None, "actor": actor.id, "now": now}
    for one in wanted.companies:
        before = there.get(one.key)
        if before is None:
            # No company is ever deleted: the document was not taken out of this installation.
            raise NotAConfiguration(f"no company {one.key}")
        values = {field: getattr(one, field) for field in _OF_A_COMPANY}
        after = companies.change(session, account, one.key, values, **how)
        if one.archived == after.is_active:
            turn = companies.archive if one.archived else companies.restore
            after = turn(session, account, one.key, **how)
        if after.version != before.version:
            changed.append(one.key)
    return changed


def _bring_back_roles(
    session: Session,
    account: str,
    wanted: _Document,
    actor: Actor,
    now: datetime,
    missing: set[Right],
) -> list[UUID]:
    changed = []
    there = {str(one.id): one for one in roles.listed(session, account, actor=actor)}
    having = {one.id for one in applications.given_to(session, account)}
    offered = {right for right in applications.declared(session) if right.application in having}
    for one in wanted.roles:
        rights = {Right(app, name) for app, names in one.permissions.items() for name in names}
        missing |= rights - offered
        before = there.get(one.id)
        after = _bring_back_role(session, account, one, before, rights & offered, actor, now)
        if before is None or after.version != before.version or after.ticks != before.ticks:
            changed.append(after.id)
    return changed


def _bring_back_role(
    session: Session,
    account: str,
    one: _Role,
    before: RoleSummary | None,
    rights: set[Right],
    actor: Actor,
    now: datetime,
) -> RoleSummary:
    if before is None:
        return roles.create(
            session,
            account,
            name=one.name,
            rights=rights,
            second_factor=one.second_factor,
            actor=actor,
            now=now,
        )
    return roles.change(
        session,
        account,
        before.id,
        name=one.name,
        rights=None if before.is_admin else rights,
        second_factor=one.second_factor,
        actor=actor,
        now=now,
    )


def _read(document: bytes | str) -> _Document:
    """The document, if we wrote it and nobody changed it since."""
    if len(document) > LARGEST:
        raise NotAConfiguration("too large")
    try:
        found = json.loads(document)
        signature = found.pop("signature")
        is_ours = any(
            constant_time_equal(_signature(found, secret), str(signature)) for secret in _secrets()
        )
        if not is_ours:
            raise NotAConfiguration("not signed by us")
        return _Document.model_validate({**found, "signature": signature})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as malformed:
        raise NotAConfiguration("not of this form") from malformed


def _signature(document: Mapping[str, Any], secret: str) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return keyed_hash(secret.encode(), b"account configuration", text.encode()).hex()


def _secrets() -> list[str]:
    settings: Settings = program.extensions()["klucznik.settings"]
    return settings.signing_secrets()


def _demand_admin(actor: Actor, account: str) -> None:
    power = demand(actor, account, _MANAGE)
    if not (power.is_admin or power.installation):
        raise NotPermitted(f"{actor.id} is no admin of {account}")


def _companies(session: Session, account: str) -> list[CompanySummary]:
    return [
        one
        for archived in (False, True)
        for one in every(partial(companies.listed, session, account, archived=archived))
    ]


def _company(one: CompanySummary) -> dict[str, Any]:
    values = {field: getattr(one, field) for field in _OF_A_COMPANY}
    return {"key": one.id, **values, "archived": not one.is_active}


def _role(one: RoleSummary) -> dict[str, Any]:
    permissions: dict[str, list[str]] = {}
    for right in sorted(one.ticks):
        permissions.setdefault(right.application, []).append(right.permission)
    return {
        "id": str(one.id),
        "name": one.name,
        "admin": one.is_admin,
        "second_factor": one.second_factor,
        "permissions": permissions,
    }


def _record(
    session: Session,
    event: AccountEvent,
    account: str,
    actor: Actor,
    now: datetime,
    **details: Any,
) -> None:
    record(
        session,
        account=account,
        event=event,
        actor=actor.id,
        subject=f"account:{account}",
        now=now,
        details=details,
    )
