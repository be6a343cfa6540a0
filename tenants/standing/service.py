"""A person's standing in an account: all that decides what they may do there, in two statements.

Nothing of it is remembered: whoever is blocked, or loses a role, is without it at the next use. What
follows from it stands in `scope` (what counts where) and in `tenants.roles.power` (who may give what).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    Select,
    Table,
    Uuid,
    and_,
    bindparam,
    case,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy import cast as sql_cast

from kernel.database import HotStatement, Reads
from tenants.accounts.models import Account
from tenants.applications.models import AccountApplication, Application, Permission
from tenants.applications.rights import Right
from tenants.companies.models import Company
from tenants.members.models import Assignment, Membership
from tenants.people import service as people
from tenants.roles.models import Role, RolePermission

ACTIVE = "active"
PENDING = "pending"
STRONG = "strong"
MEMBER = "member"
CLIENT = "client"

# What a row of `_WHAT` is, where it is no permission: an application that the account has, or has not.
_HAD = "had"
_NOT_HAD = "not-had"
_ON_ACCOUNT = "account"


@dataclass(frozen=True)
class HeldRole:
    """A role that somebody holds now, on the whole account or on one company."""

    id: UUID
    name: str
    is_admin: bool
    wants_strong: bool
    company: str | None
    rights: frozenset[Right] = frozenset()
    """What its ticks give where it is held; an admin role lists none: it has all."""


@dataclass(frozen=True)
class Standing:
    """A person in an account. Their two memberships, of which one may be missing."""

    account: str
    account_name: str
    account_status: str
    person_id: UUID
    person_is_active: bool
    member_id: UUID | None
    member_state: str | None
    client_id: UUID | None
    client_state: str | None
    signed_out_at: datetime | None
    """Sign-ins up to this moment don't count here."""
    sign_in_hours: int | None
    """How old a sign-in may be that counts here."""
    wants_strong: bool
    """Whether the account asks everybody for more than a code by mail (ID-6)."""
    applications: frozenset[str]
    """Those that the account has."""
    roles: tuple[HeldRole, ...]
    """Those whose assignment has not expired."""
    company: str | None = None
    """The company that was asked for, if the account has it and it is not archived."""
    company_name: str | None = None
    audiences: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Which application serves which audience, also those that the account has not."""
    all_rights: frozenset[Right] = frozenset()
    """What an admin role gives on the whole account; empty for who holds none."""
    all_company_rights: frozenset[Right] = frozenset()
    """What it gives on one company."""


_ACCOUNT = cast(Table, Account.__table__)
_HELD = cast(Table, Assignment.__table__)
_ROLE = cast(Table, Role.__table__)
_TICK = cast(Table, RolePermission.__table__)
_PERMISSION = cast(Table, Permission.__table__)
_APPLICATION = cast(Table, Application.__table__)
_HAVING = cast(Table, AccountApplication.__table__)
_COMPANY = cast(Table, Company.__table__)
_MEMBERSHIP = cast(Table, Membership.__table__)


def _who() -> Select[Any]:
    """The account, the person, both memberships, and a row for each role that is held."""
    account, held, role, company = _ACCOUNT.c, _HELD.c, _ROLE.c, _COMPANY.c
    member, client = _MEMBERSHIP.alias("member"), _MEMBERSHIP.alias("client")
    person = people.active_people().subquery()
    statement = (
        select(
            account.name.label("account_name"),
            account.status.label("account_status"),
            account.second_factor.label("account_factor"),
            account.sign_in_hours,
            person.c.id.label("active_person"),
            member.c.id.label("member_id"),
            member.c.state.label("member_state"),
            member.c.signed_out_at.label("member_signed_out_at"),
            client.c.id.label("client_id"),
            client.c.state.label("client_state"),
            client.c.signed_out_at.label("client_signed_out_at"),
            company.id.label("company"),
            company.name.label("company_name"),
            held.role_id,
            held.company_id.label("held_on"),
            role.name.label("role_name"),
            role.is_admin,
            role.second_factor.label("role_factor"),
        )
        .select_from(_ACCOUNT)
        .outerjoin(person, person.c.id == bindparam("person_id"))
        .outerjoin(member, _is_membership(member, MEMBER))
        .outerjoin(client, _is_membership(client, CLIENT))
        .outerjoin(
            _COMPANY,
            and_(
                company.tenant_id == account.tenant_id,
                company.id == bindparam("company"),
                company.archived_at.is_(None),
            ),
        )
        .outerjoin(
            _HELD,
            and_(
                held.tenant_id == member.c.tenant_id,
                held.membership_id == member.c.id,
                or_(held.expires_at.is_(None), held.expires_at > bindparam("now")),
            ),
        )
        .outerjoin(_ROLE, and_(role.tenant_id == held.tenant_id, role.id == held.role_id))
        .where(account.tenant_id == bindparam("account"))
    )
    return cast(Select[Any], statement)


def _is_membership(membership: Any, kind: str) -> Any:
    return and_(
        membership.c.tenant_id == _ACCOUNT.c.tenant_id,
        membership.c.person_id == bindparam("person_id"),
        membership.c.kind == kind,
    )


def _what() -> Select[Any]:
    """What the roles give, what admins have besides, and which application serves which audience."""
    tick, permission, application, having = _TICK.c, _PERMISSION.c, _APPLICATION.c, _HAVING.c
    no_role = sql_cast(null(), Uuid)
    is_had = or_(application.for_every_account, having.application_id.is_not(None))
    ticked = (
        _of_roles_held(tick.role_id, permission.application_id, permission.name, permission.level)
        .join(_TICK, and_(tick.tenant_id == _HELD.c.tenant_id, tick.role_id == _HELD.c.role_id))
        .join(
            _PERMISSION,
            and_(
                permission.application_id == tick.application_id,
                permission.name == tick.permission,
                permission.retired_at.is_(None),
            ),
        )
        .distinct()
    )
    admin = _of_roles_held(_ROLE.c.id).join(
        _ROLE,
        and_(
            _ROLE.c.tenant_id == _HELD.c.tenant_id,
            _ROLE.c.id == _HELD.c.role_id,
            _ROLE.c.is_admin,
        ),
    )
    declared = select(no_role, permission.application_id, permission.name, permission.level).where(
        permission.retired_at.is_(None), admin.exists()
    )
    served = (
        select(
            no_role,
            application.id,
            application.audience,
            case((is_had, literal_column(_quoted(_HAD))), else_=literal_column(_quoted(_NOT_HAD))),
        )
        .select_from(_APPLICATION)
        .outerjoin(
            _HAVING,
            and_(
                having.tenant_id == bindparam("account"),
                having.application_id == application.id,
            ),
        )
    )
    rows = union_all(ticked, declared, served).subquery("what")
    role_id, application_id, name, kind = rows.c
    return cast(
        Select[Any],
        select(
            role_id.label("role_id"),
            application_id.label("application"),
            name.label("name"),
            kind.label("kind"),
        ),
    )


def _quoted(word: str) -> str:
    return f"'{word}'"


def _of_roles_held(*columns: Any) -> Select[Any]:
    member = _MEMBERSHIP.alias("holder")
    return (
        select(*columns)
        .select_from(member)
        .join(
            _HELD,
            and_(
                _HELD.c.tenant_id == member.c.tenant_id,
                _HELD.c.membership_id == member.c.id,
                or_(_HELD.c.expires_at.is_(None), _HELD.c.expires_at > bindparam("now")),
            ),
        )
        .where(
            member.c.tenant_id == bindparam("account"),
            member.c.person_id == bindparam("person_id"),
            member.c.kind == MEMBER,
        )
    )


_WHO = HotStatement(_who)
_WHAT = HotStatement(_what)


def of(
    at: Reads, *, account: str, person_id: UUID, now: datetime, company: str | None = None
) -> Standing | None:
    """The person's standing in the account; None where there is no such account, or no membership.

    With a company, the standing says whether the account has it. In a session, that of the account.
    """
    values = {"account": account, "person_id": person_id, "now": now}
    who = _WHO.rows(at, **values, company=company)
    if not who or (who[0].member_id is None and who[0].client_id is None):
        return None
    return made_from(who, _WHAT.rows(at, **values), account=account, person_id=person_id)


def made_from(
    who: Sequence[Any], what: Iterable[Any], *, account: str, person_id: UUID
) -> Standing:
    """The standing that these rows describe."""
    found, row = _Found.in_rows(what), who[0]
    ended = (row.member_signed_out_at, row.client_signed_out_at)
    return Standing(
        account=account,
        account_name=row.account_name,
        account_status=row.account_status,
        person_id=person_id,
        person_is_active=row.active_person is not None,
        member_id=row.member_id,
        member_state=row.member_state,
        client_id=row.client_id,
        client_state=row.client_state,
        # A sign-in serves whoever is both as both, so it ends as both.
        signed_out_at=max((moment for moment in ended if moment is not None), default=None),
        sign_in_hours=row.sign_in_hours,
        wants_strong=row.account_factor == STRONG,
        applications=found.applications,
        # In one order, however the database found them: the same standing is the same value.
        roles=tuple(
            sorted(
                (_held(each, found) for each in who if each.role_id is not None),
                key=lambda role: (role.company or "", role.name, role.id),
            )
        ),
        company=row.company,
        company_name=row.company_name,
        audiences=found.audiences,
        all_rights=found.rights(None, on_account=True),
        all_company_rights=found.rights(None, on_account=False),
    )


def _held(row: Any, found: "_Found") -> HeldRole:
    return HeldRole(
        id=row.role_id,
        name=row.role_name,
        is_admin=bool(row.is_admin),
        wants_strong=row.role_factor == STRONG,
        company=row.held_on,
        rights=frozenset()
        if row.is_admin
        else found.rights(row.role_id, on_account=row.held_on is None),
    )


@dataclass(frozen=True)
class _Found:
    """The rows of `_WHAT`, sorted."""

    applications: frozenset[str]
    audiences: Mapping[str, str]
    permissions: Mapping[UUID | None, Sequence[tuple[Right, str]]]
    """With the level of each; under None those that admins have."""

    @classmethod
    def in_rows(cls, rows: Iterable[Any]) -> "_Found":
        applications: set[str] = set()
        audiences: dict[str, str] = {}
        permissions: dict[UUID | None, list[tuple[Right, str]]] = defaultdict(list)
        for row in rows:
            if row.kind not in (_HAD, _NOT_HAD):
                permissions[row.role_id].append((Right(row.application, row.name), row.kind))
                continue
            audiences[row.name] = row.application
            if row.kind == _HAD:
                applications.add(row.application)
        return cls(frozenset(applications), MappingProxyType(audiences), permissions)

    def rights(self, role_id: UUID | None, *, on_account: bool) -> frozenset[Right]:
        """What counts where the role is held, of the applications that the account has."""
        return frozenset(
            right
            for right, level in self.permissions.get(role_id, ())
            if right.application in self.applications and (on_account or level != _ON_ACCOUNT)
        )
