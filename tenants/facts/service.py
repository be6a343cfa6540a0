"""Writing facts down, and handing each to whoever acts on it, once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, delete, select, update
from sqlalchemy.orm import Session

from kernel.database import HotStatement, Writes
from kernel.ids import new_id
from kernel.outbox import Lane
from tenants.database import db
from tenants.facts.models import Fact
from tenants.outbox import outbox

MESSAGE = "facts"
"""The kind of the message that tells the worker of new facts."""

_TOLD = "klucznik.facts.told"
_NEW = ("id", "kind", "account", "person_id", "details", "at")
_write = HotStatement.insert_into(Fact.__table__, *_NEW)


class Kind(StrEnum):
    """What can have happened. Webhooks carry these names."""

    ACCOUNT_CREATED = "account.created"
    ACCOUNT_CHANGED = "account.changed"
    ACCOUNT_SUSPENDED = "account.suspended"
    ACCOUNT_RESUMED = "account.resumed"
    ACCOUNT_CLOSED = "account.closed"
    ACCOUNT_APPLICATION_GIVEN = "account.application.given"
    ACCOUNT_APPLICATION_TAKEN = "account.application.taken"

    COMPANY_CREATED = "company.created"
    COMPANY_CHANGED = "company.changed"
    COMPANY_ARCHIVED = "company.archived"
    COMPANY_RESTORED = "company.restored"

    MEMBER_ADDED = "member.added"
    MEMBER_CHANGED = "member.changed"
    MEMBER_ACCEPTED = "member.accepted"
    MEMBER_BLOCKED = "member.blocked"
    MEMBER_UNBLOCKED = "member.unblocked"
    MEMBER_REMOVED = "member.removed"
    MEMBER_LEFT = "member.left"
    MEMBER_ROLES_CHANGED = "member.roles_changed"
    MEMBER_SIGNED_OUT = "member.signed_out"
    MEMBER_INFORMED = "member.informed"

    CLIENT_ADDED = "client.added"
    CLIENT_CHANGED = "client.changed"
    CLIENT_BLOCKED = "client.blocked"
    CLIENT_UNBLOCKED = "client.unblocked"
    CLIENT_REMOVED = "client.removed"
    CLIENT_INFORMED = "client.informed"

    ROLE_CREATED = "role.created"
    ROLE_CHANGED = "role.changed"
    ROLE_REMOVED = "role.removed"

    INVITATION_CREATED = "invitation.created"
    INVITATION_ACCEPTED = "invitation.accepted"
    INVITATION_REVOKED = "invitation.revoked"
    INVITATION_DECLINED = "invitation.declined"

    API_KEY_CREATED = "api_key.created"
    API_KEY_ROTATED = "api_key.rotated"
    API_KEY_REVOKED = "api_key.revoked"

    WEBHOOK_DISABLED = "webhook.disabled"

    PERSON_BLOCKED = "person.blocked"
    PERSON_UNBLOCKED = "person.unblocked"
    PERSON_CAME = "person.came"
    """Somebody has a way in that is their own, for the first time or again."""


_KNOWN = [kind.value for kind in Kind]


@dataclass(frozen=True)
class FactSummary:
    """One thing that happened. Of two about the same thing the later has the larger number."""

    number: int
    id: UUID
    kind: Kind
    account: str | None
    person_id: UUID | None
    details: Mapping[str, Any]
    at: datetime


Handle = Callable[[Session, list[FactSummary]], object]


def note(
    session: Writes,
    kind: Kind,
    *,
    account: str | None,
    person_id: UUID | None,
    now: datetime,
    **details: Any,
) -> UUID:
    """Write down what this transaction did; gives the id under which others hear of it.

    Call it after the change: whoever changes the same thing waits for its row, and so gets the
    larger number. `details` are ids and plain words of the change (a UUID becomes text), never
    names, addresses or secrets: they go to other people's programs.
    """
    fact_id = new_id()
    _write.rows(
        session,
        id=fact_id,
        kind=kind.value,
        account=account,
        person_id=person_id,
        details={name: _plain(value) for name, value in details.items()},
        at=now,
    )
    if not session.info.get(_TOLD):
        session.info[_TOLD] = True
        outbox.put(
            session, lane=Lane.SECURITY, kind=MESSAGE, destination="facts", payload={}, now=now
        )
    return fact_id


def handle_waiting(handle: Handle, *, now: datetime, batch: int = 100) -> int:
    """Give the oldest waiting facts to `handle`, in the transaction that marks them; says how many.

    What comes of them is written in that transaction too, so each has its effects once, however
    many workers there are. It reaches into all accounts: what one account did may be for another's ears.
    """
    table = cast(Table, Fact.__table__)
    with db.transaction(everywhere=True) as session:
        rows = session.execute(
            select(*(table.c[name] for name in ("number", *_NEW)))
            # What a newer version of the program noted is left to its own worker.
            .where(table.c.handled_at.is_(None), table.c.kind.in_(_KNOWN))
            .order_by(table.c.number)
            .limit(batch)
            .with_for_update(skip_locked=True)
        ).all()
        if not rows:
            return 0
        facts = [FactSummary(**{**row._mapping, "kind": Kind(row.kind)}) for row in rows]
        handle(session, facts)
        session.execute(
            update(table)
            .where(table.c.number.in_([fact.number for fact in facts]))
            .values(handled_at=now)
        )
    return len(facts)


def is_behind(session: Session, *, since: datetime) -> bool:
    """Whether something noted before that moment still waits to be handled."""
    waiting = (
        select(Fact.number)
        .where(Fact.handled_at.is_(None), Fact.kind.in_(_KNOWN), Fact.at < since)
        .limit(1)
    )
    return session.execute(waiting).first() is not None


def clean(*, before: datetime, batch: int = 500) -> int:
    """Forget facts that were handled before then, a few at a time; says how many."""
    old = select(Fact.number).where(Fact.handled_at < before).limit(batch)
    with db.transaction() as session:
        removed = session.execute(
            delete(Fact).where(Fact.number.in_(old)).returning(Fact.number)
        ).all()
    return len(removed)


def _plain(value: Any) -> Any:
    """The same as JSON can say it."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(_plain(inner) for inner in value)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    return value
