"""Locked IDs. Inner functions: they take the caller's session."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, delete, select, update
from sqlalchemy.orm import Session

from idp.not_me.models import SignInLock
from kernel.database import HotStatement, Reads, Writes, dialect_of, upsert
from kernel.errors import Refused


class Locked(Refused):
    """The right person, perhaps, with the right proof; but this ID lets nobody in for now."""

    status = 403
    reason = "locked"


class Reason(StrEnum):
    """Why an ID is locked."""

    NOT_ME = "not-me"
    OPERATOR = "operator"


def _locked_at() -> Select[Any]:
    return select(SignInLock.locked_at).where(SignInLock.person_id == bindparam("person_id"))


_LOCKED_AT = HotStatement(_locked_at)


def lock(session: Session, *, person_id: UUID, reason: Reason, now: datetime) -> bool:
    """Let nobody in with this ID; False when it was locked before. Sessions are the caller's.

    Locking again counts from now: what was proved to open the first lock doesn't open this one.
    """
    made = session.execute(
        upsert(dialect_of(session), SignInLock)
        .values(person_id=person_id, locked_at=now, reason=reason)
        .on_conflict_do_nothing()
        .returning(SignInLock.person_id)
    )
    if made.first() is not None:
        return True
    session.execute(
        update(SignInLock)
        .where(SignInLock.person_id == person_id, SignInLock.locked_at < now)
        .values(locked_at=now)
    )
    return False


def unlock(session: Session, *, person_id: UUID, locked_until: datetime | None = None) -> bool:
    """Let people in again; False when nothing was locked.

    With `locked_until`, a lock that was made later stays: who locks wins over who opens meanwhile.
    """
    statement = delete(SignInLock).where(SignInLock.person_id == person_id)
    if locked_until is not None:
        statement = statement.where(SignInLock.locked_at <= locked_until)
    gone = session.execute(statement.returning(SignInLock.person_id))
    return gone.first() is not None


def is_locked(at: Reads, *, person_id: UUID) -> bool:
    """Whether nobody gets in with this ID."""
    return locked_at(at, person_id=person_id) is not None


def locked_at(at: Reads, *, person_id: UUID) -> datetime | None:
    """When the ID was locked, or None for one that is open."""
    row = _LOCKED_AT.first(at, person_id=person_id)
    return row.locked_at if row is not None else None


def refuse_if_locked(at: Writes, *, person_id: UUID) -> None:
    """Raise Locked for an ID that is. After the session was written: whoever locks waits for it."""
    if is_locked(at, person_id=person_id):
        raise Locked("the ID is locked")
