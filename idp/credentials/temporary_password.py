"""Temporary passwords: made by us, mailed, good for nothing but setting one's own.

One lives in the place of a password, with the moment at which it ends. It never takes the place of
a password that somebody chose.
"""

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from idp.credentials.models import Password
from kernel.database import dialect_of, upsert

# No l, I, O, 0 or 1, and no capitals: it may be read aloud, or typed on a phone.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS = 5
_IN_GROUP = 3


def generate() -> str:
    """A new one: five short groups, 74 bits.

    >>> len(generate()), generate().count("-")
    (19, 4)
    """
    return "-".join(
        "".join(secrets.choice(_LETTERS) for _ in range(_IN_GROUP)) for _ in range(_GROUPS)
    )


def store(session: Session, *, person_id: UUID, hash_: str, until: datetime, now: datetime) -> bool:
    """Let it take the place of the former one; False for who has a password of their own."""
    insert = upsert(dialect_of(session), Password).values(
        person_id=person_id, hash=hash_, changed_at=now, temporary_until=until
    )
    stored = session.execute(
        insert.on_conflict_do_update(
            index_elements=[Password.person_id],
            set_={
                "hash": insert.excluded.hash,
                "changed_at": insert.excluded.changed_at,
                "temporary_until": insert.excluded.temporary_until,
            },
            where=Password.temporary_until.is_not(None),
        ).returning(Password.person_id)
    )
    return stored.first() is not None


def remove(session: Session, *, person_id: UUID) -> None:
    """Something else was given in its place."""
    session.execute(
        delete(Password).where(
            Password.person_id == person_id, Password.temporary_until.is_not(None)
        )
    )


def find(session: Session, *, person_id: UUID, typed_at: datetime) -> tuple[str, datetime] | None:
    """Hash and end of the one that was typed at this moment, unless another took its place."""
    row = session.execute(
        select(Password.hash, Password.temporary_until).where(
            Password.person_id == person_id,
            Password.temporary_until.is_not(None),
            Password.changed_at <= typed_at,
        )
    ).one_or_none()
    return (row.hash, row.temporary_until) if row is not None else None


def until(session: Session, *, person_id: UUID) -> datetime | None:
    """When the person's temporary password ends, or ended; None for who has none."""
    return session.scalars(
        select(Password.temporary_until).where(Password.person_id == person_id)
    ).one_or_none()


def replace(session: Session, *, person_id: UUID, hash_: str, own: str, now: datetime) -> bool:
    """Put an own password in the place of the temporary one that was checked, while that lasts.

    One conditional statement: of any number at once, one succeeds.
    """
    replaced = session.execute(
        update(Password)
        .where(
            Password.person_id == person_id,
            Password.hash == hash_,
            Password.temporary_until > now,
        )
        .values(hash=own, changed_at=now, temporary_until=None)
        .returning(Password.person_id)
    )
    return replaced.first() is not None
