"""The roles of an account: made, changed, removed (TEN-8).

Inner functions take the session of the account's own transaction. A role is the whole account's: who
makes or changes one must hold, in the whole account, all that it has before and after.
"""

import unicodedata
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kernel.errors import Refused, VersionConflict
from kernel.ids import new_id
from tenants.accounts import service as accounts
from tenants.applications import service as applications
from tenants.applications.service import ACCOUNTS
from tenants.audit import record
from tenants.events import RoleEvent
from tenants.facts.service import Kind, note
from tenants.roles import rows
from tenants.roles.models import Role
from tenants.roles.power import ALL, Actor, All, MayNotGrant, Right, demand, why_not_grant
from tenants.roles.rows import RoleSummary, by_application

READ = Right(ACCOUNTS, "roles:read")
MANAGE = Right(ACCOUNTS, "roles:manage")

ADMIN = "admin"
"""What the role is called that has everything."""

SECOND_FACTORS = ("default", "strong")
_LONGEST_NAME = 100
_LONGEST_LIST = 100
"""As long as a list in one row of the audit trail can be."""
_MOST_ROLES = 200


class NotARole(Refused):
    """A role can't be like this. `field` names what is wrong."""

    status = 422
    reason = "not_valid"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field


class NameTaken(Refused):
    """Another role of the account has this name, however it is spelled."""

    status = 409
    reason = "name_taken"


class AdminRole(Refused):
    """The admin role has every permission and keeps its name; nobody removes it."""

    status = 409
    reason = "admin_role"


class RoleInUse(Refused):
    """Somebody holds the role: first it is taken from them."""

    status = 409
    reason = "role_in_use"


def create_admin(session: Session, account: str, *, now: datetime) -> UUID:
    """The admin role of a new account."""
    role = Role(
        tenant_id=account,
        id=new_id(),
        name=ADMIN,
        name_key=_key(ADMIN),
        is_admin=True,
        second_factor=SECOND_FACTORS[0],
        version=1,
        created_at=now,
        updated_at=now,
    )
    session.add(role)
    session.flush()
    return role.id


def create(
    session: Session,
    account: str,
    *,
    name: str,
    rights: Collection[Right] = (),
    second_factor: str = SECOND_FACTORS[0],
    actor: Actor,
    now: datetime,
) -> RoleSummary:
    """A new role; raises NotPermitted, MayNotGrant, NotARole, NameTaken."""
    demand(actor, account, MANAGE)
    accounts.hold(session, account)
    wanted = frozenset(rights)
    _may_give(actor, account, wanted)
    _check_offered(session, account, wanted)
    cleaned = _name(name)
    if _how_many(session, account) >= _MOST_ROLES:
        raise NotARole("name", f"an account has {_MOST_ROLES} roles at most")
    role = Role(
        tenant_id=account,
        id=new_id(),
        name=cleaned,
        name_key=_key(cleaned),
        is_admin=False,
        second_factor=_second_factor(second_factor),
        version=1,
        created_at=now,
        updated_at=now,
    )
    try:
        with session.begin_nested():
            session.add(role)
    except IntegrityError as taken:
        raise NameTaken(f"{account} has a role of this name") from taken
    rows.tick(session, account, role.id, wanted)
    details = {"name": cleaned, "second_factor": role.second_factor}
    _record(session, RoleEvent.CREATED, account, role.id, actor, now, details, given=wanted)
    note(session, Kind.ROLE_CREATED, account=account, person_id=None, now=now, role=role.id)
    return rows.sure(session, account, role.id)


def change(
    session: Session,
    account: str,
    role_id: UUID,
    *,
    name: str | None = None,
    rights: Collection[Right] | None = None,
    second_factor: str | None = None,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> RoleSummary:
    """Change what is said (None: as it is); raises what `create` does, NotFound, VersionConflict.

    Of the admin role only the second factor can be changed, by an admin.
    """
    demand(actor, account, MANAGE)
    accounts.hold(session, account)
    before = rows.sure(session, account, role_id)
    if version is not None and version != before.version:
        raise VersionConflict(f"role {role_id} is at version {before.version}")
    if before.is_admin and (rights is not None or name not in (None, before.name)):
        raise AdminRole("its name and permissions stay")
    after = before.ticks if rights is None else _after(session, account, before, rights)
    _may_give(actor, account, ALL if before.is_admin else before.ticks | after)
    _check_offered(session, account, after - before.ticks)
    values = _changed(before, name, second_factor)
    given, taken = after - before.ticks, before.ticks - after
    if not (values or given or taken):
        return before
    _rename(session, account, role_id, values, now)
    rows.tick(session, account, role_id, given)
    rows.untick(session, account, role_id, taken)
    details = {field: [getattr(before, field), value] for field, value in values.items()}
    _record(
        session, RoleEvent.CHANGED, account, role_id, actor, now, details, given=given, taken=taken
    )
    note(session, Kind.ROLE_CHANGED, account=account, person_id=None, now=now, role=role_id)
    return rows.sure(session, account, role_id)


def remove(
    session: Session,
    account: str,
    role_id: UUID,
    *,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Remove a role that nobody holds; raises AdminRole, RoleInUse, and what `change` does.

    Open invitations that promised it promise it no more.
    """
    demand(actor, account, MANAGE)
    accounts.hold(session, account)
    before = rows.sure(session, account, role_id)
    if version is not None and version != before.version:
        raise VersionConflict(f"role {role_id} is at version {before.version}")
    if before.is_admin:
        raise AdminRole("nobody removes it")
    _may_give(actor, account, before.ticks)
    try:
        with session.begin_nested():
            session.execute(delete(Role).where(Role.tenant_id == account, Role.id == role_id))
    except IntegrityError as held:
        raise RoleInUse(f"role {role_id} has holders") from held
    details = {"name": before.name}
    _record(session, RoleEvent.REMOVED, account, role_id, actor, now, details, taken=before.ticks)
    note(session, Kind.ROLE_REMOVED, account=account, person_id=None, now=now, role=role_id)


def find(session: Session, account: str, role_id: UUID, *, actor: Actor) -> RoleSummary:
    """One role; raises NotFound, NotPermitted."""
    demand(actor, account, READ)
    return rows.sure(session, account, role_id)


def listed(session: Session, account: str, *, actor: Actor) -> list[RoleSummary]:
    """All roles of an account, the admin role first, then by name; raises NotPermitted."""
    demand(actor, account, READ)
    return rows.all_of(session, account)


def known(
    session: Session, account: str, role_ids: Collection[UUID] | None = None
) -> dict[UUID, RoleSummary]:
    """Roles by their ids, for whoever decides about giving them; None: all that there are."""
    if role_ids is not None and not role_ids:
        return {}
    return {role.id: role for role in rows.all_of(session, account, role_ids)}


def _may_give(actor: Actor, account: str, rights: Collection[Right] | All) -> None:
    refusal = why_not_grant(actor.power_in(account), rights, company=None)
    if refusal:
        raise MayNotGrant(refusal)


def _check_offered(session: Session, account: str, rights: Collection[Right]) -> None:
    """Only permissions of applications that the account has can be ticked."""
    if not rights:
        return
    having = {application.id for application in applications.given_to(session, account)}
    offered = applications.declared(session).keys()
    wrong = sorted(
        right for right in rights if right not in offered or right.application not in having
    )
    if wrong:
        raise NotARole("permissions", f"no permission {':'.join(wrong[0])}")


def _after(
    session: Session, account: str, before: RoleSummary, rights: Collection[Right]
) -> frozenset[Right]:
    """What a role has when somebody leaves it with these ticks.

    Those of applications that the account has lost are on no grid, and stay.
    """
    having = {application.id for application in applications.given_to(session, account)}
    unseen = {right for right in before.ticks if right.application not in having}
    return frozenset(rights) | unseen


def _changed(before: RoleSummary, name: str | None, second_factor: str | None) -> dict[str, str]:
    values = {}
    if name is not None and (cleaned := _name(name)) != before.name:
        values["name"] = cleaned
    if second_factor is not None and _second_factor(second_factor) != before.second_factor:
        values["second_factor"] = second_factor
    return values


def _rename(
    session: Session, account: str, role_id: UUID, values: Mapping[str, str], now: datetime
) -> None:
    key = {"name_key": _key(values["name"])} if "name" in values else {}
    try:
        with session.begin_nested():
            session.execute(
                update(Role)
                .where(Role.tenant_id == account, Role.id == role_id)
                .values(**values, **key, version=Role.version + 1, updated_at=now)
            )
    except IntegrityError as taken:
        raise NameTaken(f"{account} has a role of this name") from taken


def _how_many(session: Session, account: str) -> int:
    return session.scalar(select(func.count()).where(Role.tenant_id == account)) or 0


def _name(text: Any) -> str:
    if not isinstance(text, str) or len(text) > 4 * _LONGEST_NAME:
        raise NotARole("name", "not a short text")
    cleaned = " ".join(unicodedata.normalize("NFC", text).split())
    if not cleaned or not cleaned.isprintable() or len(_key(cleaned)) > _LONGEST_NAME:
        raise NotARole("name", "empty, too long, or with invisible characters")
    if len(cleaned) > _LONGEST_NAME:
        raise NotARole("name", "too long")
    return cleaned


def _key(name: str) -> str:
    """The name as names are compared.

    >>> _key("Sprzedaż  A") == _key("SPRZEDAŻ A")
    False
    >>> _key("Sprzedaż") == _key("SPRZEDAŻ")
    True
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _second_factor(value: str) -> str:
    if value not in SECOND_FACTORS:
        raise NotARole("second_factor", "no such rule")
    return value


def _record(
    session: Session,
    event: RoleEvent,
    account: str,
    role_id: UUID,
    actor: Actor,
    now: datetime,
    details: Mapping[str, Any],
    *,
    given: Collection[Right] = (),
    taken: Collection[Right] = (),
) -> None:
    """Into the audit trail, in as many rows as the ticks need: nothing of them is cut off."""
    lists = {"given": sorted(given), "taken": sorted(taken)}
    most = max(map(len, lists.values()))
    for start in range(0, max(most, 1), _LONGEST_LIST):
        ticks = {
            what: by_application(rights[start : start + _LONGEST_LIST])
            for what, rights in lists.items()
        }
        record(
            session,
            account=account,
            event=event,
            actor=actor.id,
            subject=f"role:{role_id}",
            now=now,
            details={**details, **{what: named for what, named in ticks.items() if named}},
        )
