"""Applications, what they let people do, and which accounts have them.

Inner functions take the caller's session. An application declares its permissions as a whole, again
and again; roles keep what they were given, whatever an application forgets and remembers.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from kernel.database import dialect_of, upsert
from kernel.errors import NotFound, Refused
from kernel.ledger import INSTALLATION
from tenants.applications.models import AccountApplication, Application, Permission
from tenants.applications.rights import Right, is_permission
from tenants.audit import ledger, record
from tenants.events import ApplicationEvent
from tenants.facts.service import Kind, note

__all__ = [
    "ACCOUNTS",
    "ApplicationSummary",
    "CannotDeclare",
    "Declared",
    "ForEveryAccount",
    "PermissionSummary",
    "Right",
    "declare",
    "declared",
    "find",
    "give",
    "given_to",
    "listed",
    "take_away",
]

ACCOUNTS = "accounts"
"""The identity program's own API."""

CONTEXTS = ("none", "account", "company")
LEVELS = ("account", "company")

_LONGEST_LABEL = 200
_MOST_PERMISSIONS = 500
_HAVING = cast(Table, AccountApplication.__table__)
_APPLICATIONS = cast(Table, Application.__table__)

_COLUMNS = (
    _APPLICATIONS.c.id,
    _APPLICATIONS.c.name,
    _APPLICATIONS.c.audience,
    _APPLICATIONS.c.context,
    _APPLICATIONS.c.for_every_account,
)


class CannotDeclare(Refused):
    """An application can't declare itself like this; the detail says what is wrong."""

    status = 422
    reason = "cannot_declare"


class ForEveryAccount(Refused):
    """Every account has this application: it is neither given nor taken away."""

    status = 409
    reason = "for_every_account"


@dataclass(frozen=True)
class Declared:
    """A permission as an application declares it."""

    name: str
    label_en: str
    label_pl: str
    level: str = "company"
    """`account`: it means nothing on one company alone."""


@dataclass(frozen=True)
class ApplicationSummary:
    """An application as accounts know it."""

    id: str
    name: str
    audience: str
    context: str
    """What a sign-in to it has to name: `none`, `account` or `company`."""
    for_every_account: bool


@dataclass(frozen=True)
class PermissionSummary:
    """A permission that its application declares now."""

    right: Right
    label_en: str
    label_pl: str
    level: str
    position: int


def declare(
    session: Session,
    *,
    application: str,
    name: str,
    audience: str,
    context: str,
    for_every_account: bool,
    permissions: Sequence[Declared],
    now: datetime,
) -> bool:
    """Say what an application is and what it lets people do; answers whether anything changed.

    The permissions are all that there are: one that is missing is retired, and nobody has it until
    it is declared again. A new one is in no role but the admins', who have them all (OP-4).
    """
    _check(application, name, audience, context, permissions)
    wanted = {
        "name": name,
        "audience": audience,
        "context": context,
        "for_every_account": for_every_account,
    }
    is_new = _insert(session, application, wanted, now)
    # Whoever declares the same application meanwhile waits.
    before = session.execute(
        select(*_COLUMNS).where(Application.id == application).with_for_update()
    ).one()
    is_other = any(getattr(before, key) != value for key, value in wanted.items())
    if is_other:
        _keep_audience_unique(session, application, audience)
        session.execute(
            update(Application)
            .where(Application.id == application)
            .values(**wanted, updated_at=now)
        )
    changes = _declare_permissions(session, application, permissions, now)
    if not (is_new or is_other or changes):
        return False
    ledger.append(
        session,
        chain=INSTALLATION,
        event=ApplicationEvent.DECLARED,
        actor="operator",
        subject=f"application:{application}",
        result="success",
        at=now,
        details={**wanted, **changes},
    )
    return True


def find(session: Session, application: str) -> ApplicationSummary | None:
    """The application with this id."""
    row = session.execute(select(*_COLUMNS).where(Application.id == application)).one_or_none()
    return ApplicationSummary(*row) if row is not None else None


def listed(session: Session) -> list[ApplicationSummary]:
    """All applications, by their ids."""
    return [
        ApplicationSummary(*row)
        for row in session.execute(select(*_COLUMNS).order_by(Application.id))
    ]


def declared(session: Session) -> Mapping[Right, PermissionSummary]:
    """All permissions that are declared now, in the order of their applications."""
    rows = session.execute(
        select(
            Permission.application_id,
            Permission.name,
            Permission.label_en,
            Permission.label_pl,
            Permission.level,
            Permission.position,
        )
        .where(Permission.retired_at.is_(None))
        .order_by(Permission.application_id, Permission.position, Permission.name)
    )
    return {
        (right := Right(row.application_id, row.name)): PermissionSummary(
            right, row.label_en, row.label_pl, row.level, row.position
        )
        for row in rows
    }


def given_to(session: Session, account: str) -> list[ApplicationSummary]:
    """The applications that an account has, those that every account has among them."""
    having = exists().where(
        AccountApplication.tenant_id == account,
        AccountApplication.application_id == Application.id,
    )
    rows = session.execute(
        select(*_COLUMNS)
        .where(or_(Application.for_every_account, having))
        .order_by(Application.name, Application.id)
    )
    return [ApplicationSummary(*row) for row in rows]


def give(
    session: Session, account: str, *, application: str, actor: str, by: UUID | None, now: datetime
) -> bool:
    """Let an account use an application (TEN-17); answers whether it could not before."""
    _givable(session, application)
    given = session.execute(
        upsert(dialect_of(session), _HAVING)
        .values(tenant_id=account, application_id=application, given_by=by, given_at=now)
        .on_conflict_do_nothing()
        .returning(_HAVING.c.application_id)
    ).first()
    if given is None:
        return False
    _record(session, ApplicationEvent.GIVEN, account, application, actor, now)
    note(
        session,
        Kind.ACCOUNT_APPLICATION_GIVEN,
        account=account,
        person_id=None,
        now=now,
        application=application,
    )
    return True


def take_away(
    session: Session, account: str, *, application: str, actor: str, now: datetime
) -> bool:
    """Let an account use an application no more; answers whether it could before.

    Roles keep their ticks, which count again when the account has it again.
    """
    _givable(session, application)
    taken = session.execute(
        delete(AccountApplication)
        .where(
            AccountApplication.tenant_id == account,
            AccountApplication.application_id == application,
        )
        .returning(AccountApplication.application_id)
    ).first()
    if taken is None:
        return False
    _record(session, ApplicationEvent.TAKEN, account, application, actor, now)
    note(
        session,
        Kind.ACCOUNT_APPLICATION_TAKEN,
        account=account,
        person_id=None,
        now=now,
        application=application,
    )
    return True


def _givable(session: Session, application: str) -> None:
    found = find(session, application)
    if found is None:
        raise NotFound(f"no application {application}")
    if found.for_every_account:
        raise ForEveryAccount(f"every account has {application}")


def _record(
    session: Session,
    event: ApplicationEvent,
    account: str,
    application: str,
    actor: str,
    now: datetime,
) -> None:
    record(
        session,
        account=account,
        event=event,
        actor=actor,
        subject=f"application:{application}",
        now=now,
    )


def _check(
    application: str, name: str, audience: str, context: str, permissions: Sequence[Declared]
) -> None:
    if not application or not name or not audience:
        raise CannotDeclare("an application has an id, a name and an audience")
    if context not in CONTEXTS:
        raise CannotDeclare(f"no context {context!r}")
    names = [one.name for one in permissions]
    if len(set(names)) != len(names) or len(names) > _MOST_PERMISSIONS:
        raise CannotDeclare("a permission is declared twice, or there are too many")
    for one in permissions:
        if not is_permission(one.name):
            raise CannotDeclare(f"{one.name!r} is no name of a permission")
        if one.level not in LEVELS:
            raise CannotDeclare(f"{one.name} has no level {one.level!r}")
        for label in (one.label_en, one.label_pl):
            if not label.strip() or len(label) > _LONGEST_LABEL:
                raise CannotDeclare(f"{one.name} has a label that is empty or too long")


def _insert(session: Session, application: str, wanted: dict[str, Any], now: datetime) -> bool:
    made = session.execute(
        upsert(dialect_of(session), _APPLICATIONS)
        .values(id=application, **wanted, created_at=now, updated_at=now)
        .on_conflict_do_nothing()
        .returning(_APPLICATIONS.c.id)
    ).first()
    if made is None and find(session, application) is None:
        raise CannotDeclare("another application has this audience")
    return made is not None


def _keep_audience_unique(session: Session, application: str, audience: str) -> None:
    taken = session.scalar(
        select(Application.id).where(
            Application.audience == audience, Application.id != application
        )
    )
    if taken is not None:
        raise CannotDeclare("another application has this audience")


def _declare_permissions(
    session: Session, application: str, permissions: Sequence[Declared], now: datetime
) -> dict[str, list[str]]:
    """Bring the rows to what is declared; says which are new, changed, retired and back."""
    known = {
        one.name: one
        for one in session.scalars(
            select(Permission).where(Permission.application_id == application)
        )
    }
    changes: dict[str, list[str]] = {"added": [], "changed": [], "retired": [], "returned": []}
    for position, one in enumerate(permissions):
        row = known.get(one.name)
        values = (one.label_en, one.label_pl, one.level, position)
        if row is None:
            row = Permission(application_id=application, name=one.name)
            session.add(row)
            changes["added"].append(one.name)
        elif row.retired_at is not None:
            changes["returned"].append(one.name)
        elif (row.label_en, row.label_pl, row.level, row.position) != values:
            changes["changed"].append(one.name)
        row.label_en, row.label_pl, row.level, row.position = values
        row.retired_at = None
    for gone in _missing(known.values(), permissions):
        gone.retired_at = now
        changes["retired"].append(gone.name)
    session.flush()
    return {what: names for what, names in changes.items() if names}


def _missing(known: Collection[Permission], permissions: Sequence[Declared]) -> list[Permission]:
    names = {one.name for one in permissions}
    return [row for row in known if row.name not in names and row.retired_at is None]
