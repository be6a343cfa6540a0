"""Passwords: how they are stored, checked and chosen.

A password is verified whole. It is brought to one Unicode form (NFKC), and nothing else is done.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from idp.credentials import blocklist
from idp.credentials.models import Password
from kernel.database import HotStatement, Writes, dialect_of, upsert

LONGEST = 256


@dataclass(frozen=True)
class ImportedHash:
    """A person's hash from another system; without milliseconds it is one that we made."""

    person_id: UUID
    hash: str
    milliseconds: int | None


class Problem(StrEnum):
    """Why a new password is refused, for the page to put into words."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LEAKED = "leaked"
    PERSONAL = "personal"
    GUESSABLE = "guessable"
    TEMPORARY = "temporary"


def normalised(password: str) -> str:
    """The form in which a password is hashed: NFKC, spaces and case as they are.

    >>> normalised("Zażółć") == normalised("Zaz\\u0307o\\u0301łc\\u0301".replace("Zaz", "Zaz"))
    True
    >>> normalised(" A b ")
    ' A b '
    """
    return unicodedata.normalize("NFKC", password)


def is_measurable(password: str) -> bool:
    """Whether a password that somebody signs in with is short enough to be worth hashing."""
    return 0 < len(password) <= LONGEST and len(normalised(password)) <= LONGEST


def why_refuse(
    password: str, *, min_length: int, context: Iterable[str], breached: blocklist.Breached
) -> Problem | None:
    """Say why this can't be a new password, or None when it can. Length counts code points."""
    whole = normalised(password)
    if len(password) > LONGEST or len(whole) > LONGEST:
        return Problem.TOO_LONG
    if len(whole) < min_length:
        return Problem.TOO_SHORT
    if blocklist.is_personal(whole, context):
        return Problem.PERSONAL
    if blocklist.is_leaked(whole) or breached.contains(whole):
        return Problem.LEAKED
    if blocklist.is_guessable(whole, context):
        return Problem.GUESSABLE
    return None


def store(session: Session, *, person_id: UUID, hash_: str, now: datetime) -> None:
    """Set or replace a person's password; from now on it is their own."""
    _upsert(session, person_id, hash_, now, only=None)


def adopt(session: Session, imported: Sequence[ImportedHash], *, now: datetime) -> None:
    """Keep hashes of another system, for people who have no password, until they sign in."""
    if imported:
        session.execute(
            insert(Password),
            [
                {
                    "person_id": one.person_id,
                    "hash": one.hash,
                    "changed_at": now,
                    "imported_milliseconds": one.milliseconds,
                }
                for one in imported
            ],
        )


def store_first(session: Session, *, person_id: UUID, hash_: str, now: datetime) -> bool:
    """Set the first own password; False for who has one, which stays as it is."""
    return _upsert(session, person_id, hash_, now, only=Password.temporary_until.is_not(None))


def _upsert(
    session: Session,
    person_id: UUID,
    hash_: str,
    now: datetime,
    *,
    only: ColumnElement[bool] | None,
) -> bool:
    new = upsert(dialect_of(session), Password).values(
        person_id=person_id, hash=hash_, changed_at=now
    )
    stored = session.execute(
        new.on_conflict_do_update(
            index_elements=[Password.person_id],
            set_={
                "hash": hash_,
                "changed_at": now,
                "temporary_until": None,
                "imported_milliseconds": None,
            },
            where=only,
        ).returning(Password.person_id)
    )
    return stored.first() is not None


def stored_hash(session: Session, *, person_id: UUID) -> str | None:
    """The hash to verify against, or None for a person without a password of their own."""
    return session.scalars(select(Password.hash).where(*_own(person_id))).one_or_none()


def exchange(
    session: Session, *, person_id: UUID, old: str | None, new: str, now: datetime
) -> bool:
    """Set a password if the old one is still what was checked; of two at once one succeeds."""
    changed = session.execute(
        update(Password)
        .where(Password.person_id == person_id, Password.hash == old)
        .values(hash=new, changed_at=now, imported_milliseconds=None)
        .returning(Password.person_id)
    )
    return changed.first() is not None


def _hold() -> Select[str]:
    statement = select(Password.hash).where(Password.person_id == bindparam("person_id"))
    return statement.with_for_update()


_HOLD = HotStatement(_hold)


def is_unchanged(at: Writes, *, person_id: UUID, hash_: str) -> bool:
    """Whether this is still the password. Nobody changes it until this transaction ends.

    So a sign-in comes before a change, and is ended by it, or after, and is refused.
    """
    found = _HOLD.first(at, person_id=person_id)
    return found is not None and found.hash == hash_


def was_changed_after(
    session: Session, moment: datetime, *, person_id: UUID, hold: bool = False
) -> bool:
    """Whether the password was changed since; with `hold`, nobody changes it meanwhile."""
    statement = select(Password.changed_at).where(Password.person_id == person_id)
    found = session.scalars(
        statement.with_for_update(read=True) if hold else statement
    ).one_or_none()
    return found is not None and found > moment


def dearest_hash() -> Select[int | None]:
    """What the dearest imported hash costs to verify, as a statement of one row (`milliseconds`).

    NULL once everybody's is ours. An index answers it.
    """
    return select(func.max(Password.imported_milliseconds).label("milliseconds")).where(
        Password.imported_milliseconds.is_not(None)
    )


def replace_hash(session: Session, *, person_id: UUID, old: str, new: str) -> None:
    """Put a stronger hash of the same password in place, unless it was changed meanwhile."""
    session.execute(
        update(Password)
        .where(Password.person_id == person_id, Password.hash == old)
        .values(hash=new, imported_milliseconds=None)
    )


def changed_at(session: Session, *, person_id: UUID) -> datetime | None:
    """When the person last set a password, or None for who has none of their own."""
    return session.scalars(select(Password.changed_at).where(*_own(person_id))).one_or_none()


def _own(person_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return Password.person_id == person_id, Password.temporary_until.is_(None)
