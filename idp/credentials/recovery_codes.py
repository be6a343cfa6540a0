"""Recovery codes: ten codes on paper, 80 bits each, each good once.

Making and trying them out needs Argon2, so both come in two parts: one outside, one inside a
transaction.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from idp.credentials.hashing import Hashing
from idp.credentials.models import RecoveryCode
from kernel.ids import new_id

COUNT = 10
_LETTERS = 16
# Crockford's base 32: no I, L, O or U, which are misread or misread into something.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("ILO", "110")
_SALT_BYTES = 16


@dataclass(frozen=True)
class Sheet:
    """Codes that were just made: in clear, to be shown once, and as they are stored."""

    codes: tuple[str, ...]
    salt: bytes
    hashes: tuple[bytes, ...]


def make_sheet(hashing: Hashing) -> Sheet:
    """Ten new codes. Takes ten hashes; not inside a transaction."""
    plain = ["".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS)) for _ in range(COUNT)]
    salt = secrets.token_bytes(_SALT_BYTES)
    return Sheet(
        codes=tuple(_in_groups(code) for code in plain),
        salt=salt,
        hashes=tuple(hashing.derive(code, salt) for code in plain),
    )


def store(session: Session, *, person_id: UUID, sheet: Sheet, now: datetime) -> None:
    """Keep the new codes; all earlier ones are void."""
    void(session, person_id=person_id)
    session.add_all(
        RecoveryCode(
            id=new_id(), person_id=person_id, salt=sheet.salt, code_hash=hash_, created_at=now
        )
        for hash_ in sheet.hashes
    )
    session.flush()


def salt_of(session: Session, *, person_id: UUID) -> bytes | None:
    """What a typed code is hashed with, or None for a person without codes."""
    return session.scalars(
        select(RecoveryCode.salt).where(RecoveryCode.person_id == person_id).limit(1)
    ).first()


def hash_of(hashing: Hashing, *, code: str, salt: bytes | None) -> bytes:
    """What a typed code is looked up by. Not inside a transaction."""
    return hashing.derive(code, salt or bytes(_SALT_BYTES))


def spend(session: Session, *, person_id: UUID, code_hash: bytes, now: datetime) -> bool:
    """Use up a code by one conditional statement; False when it is unknown or spent."""
    spent = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.person_id == person_id,
            RecoveryCode.code_hash == code_hash,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    return spent.first() is not None


def remaining(session: Session, *, person_id: UUID) -> int:
    """How many codes can still be used."""
    return (
        session.scalar(
            select(func.count())
            .select_from(RecoveryCode)
            .where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
        )
        or 0
    )


def void(session: Session, *, person_id: UUID, since: datetime | None = None) -> None:
    """No code of this person counts any more; with `since`, none of those made from then on."""
    statement = delete(RecoveryCode).where(RecoveryCode.person_id == person_id)
    if since is not None:
        statement = statement.where(RecoveryCode.created_at >= since)
    session.execute(statement)


def code_of(text: str) -> str | None:
    """The code as somebody typed it, or None when it can't be one.

    >>> code_of("abcd-efgh jkmn-pqrs"), code_of("12345678")
    ('ABCDEFGHJKMNPQRS', None)
    >>> code_of("OIL0-0000-0000-0000")
    '0110000000000000'
    """
    letters = re.sub(r"[\s\-–]", "", text).upper().translate(_MISREAD)
    return letters if len(letters) == _LETTERS and set(letters) <= set(_ALPHABET) else None


def _in_groups(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, _LETTERS, 4))
