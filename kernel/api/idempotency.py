"""Requests that may be sent twice and are carried out once: the header `Idempotency-Key`.

The first request with a key claims it, and what it was answered is what every repetition of it is
answered, for a day. Programs make their table from the mixin, and their one instance:

    requests = IdempotentRequests(IdempotentRequest)
"""

import hashlib
import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import LargeBinary, Table, and_, delete, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from kernel import program
from kernel.crypto import CannotOpen, constant_time_equal, keyed_hash
from kernel.database import Database, UTCDateTime, dialect_of, upsert
from kernel.errors import Refused
from kernel.resealing import SealedColumn
from kernel.settings import Settings

KEPT = timedelta(hours=24)
# Longer than any request takes. Whoever was carrying it out is gone by then.
LEASE = timedelta(minutes=2)
_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


class IdempotentRequestMixin:
    """A request that came with a key, and what it was answered."""

    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """Of the key and of whose it is."""
    request_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    claim: Mapped[bytes] = mapped_column(LargeBinary(16))
    """Which of several at once carries it out."""
    claimed_until: Mapped[datetime] = mapped_column(UTCDateTime)
    answer_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The whole answer; it may hold a secret that is shown once. None: not answered yet."""
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)


class KeyUnusable(Refused):
    """Idempotency-Key has to be 1 to 255 visible ASCII characters."""

    reason = "idempotency_key_unusable"


class KeyReused(Refused):
    """This Idempotency-Key came before with another request."""

    status = 422
    reason = "idempotency_key_reused"


class KeyInFlight(Refused):
    """The request with this Idempotency-Key is still being carried out."""

    status = 409
    reason = "idempotency_key_in_flight"


@dataclass(frozen=True)
class Claim:
    """The right to carry a request out."""

    key_hash: bytes
    claim: bytes


@dataclass(frozen=True)
class Answered:
    """What a request was answered before."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def digest(*parts: bytes) -> bytes:
    """What a request is told from another one by."""
    lengths = b"".join(len(part).to_bytes(8, "big") for part in parts)
    return hashlib.sha256(lengths + b"".join(parts)).digest()


class IdempotentRequests:
    """Remembers requests in a program's table."""

    def __init__(self, model: type[IdempotentRequestMixin]) -> None:
        self._table = cast(Table, getattr(model, "__table__"))  # noqa: B009 (a mixin has none)

    def begin(
        self, db: Database, *, key: str, whose: str, request: bytes, now: datetime
    ) -> Claim | Answered:
        """Claim this key, or give the answer; raises KeyUnusable, KeyReused, KeyInFlight."""
        table = self._table
        key = key.strip().removeprefix('"').removesuffix('"')
        if not _KEY.fullmatch(key):
            raise KeyUnusable
        claim = Claim(_key_hash(whose, key), secrets.token_bytes(16))
        row: dict[str, Any] = {
            "request_digest": request,
            "claim": claim.claim,
            "claimed_until": now + LEASE,
            "answer_sealed": None,
            "expires_at": now + KEPT,
        }
        is_over = table.c.expires_at <= now
        was_given_up = and_(
            table.c.answer_sealed.is_(None),
            table.c.claimed_until <= now,
            table.c.request_digest == request,
        )
        with db.transaction() as session:
            claimed = session.execute(
                upsert(dialect_of(session), table)
                .values(key_hash=claim.key_hash, **row)
                .on_conflict_do_update(
                    index_elements=[table.c.key_hash], set_=row, where=or_(is_over, was_given_up)
                )
                .returning(table.c.claim)
            ).first()
            if claimed is not None:
                return claim
            known = session.execute(
                select(table.c.request_digest, table.c.answer_sealed).where(
                    table.c.key_hash == claim.key_hash
                )
            ).first()
        if known is None:
            # It was released in the same moment; whoever asks again gets it.
            raise KeyInFlight
        if not constant_time_equal(known.request_digest, request):
            raise KeyReused
        if known.answer_sealed is None:
            raise KeyInFlight
        return _opened(known.answer_sealed, claim.key_hash)

    def finish(self, db: Database, claim: Claim, answered: Answered) -> None:
        """Keep what this request was answered."""
        sealed = _sealed(answered, claim.key_hash)
        with db.transaction() as session:
            session.execute(
                update(self._table).where(*self._is(claim)).values(answer_sealed=sealed)
            )

    def release(self, db: Database, claim: Claim) -> None:
        """Forget the request: it came to nothing, and may be sent again."""
        with db.transaction() as session:
            session.execute(delete(self._table).where(*self._is(claim)))

    def clean(self, db: Database, *, now: datetime, batch: int = 500) -> int:
        """Remove what is over, a few at a time; says how many."""
        over = select(self._table.c.key_hash).where(self._table.c.expires_at <= now).limit(batch)
        with db.transaction() as session:
            removed = session.execute(
                delete(self._table)
                .where(self._table.c.key_hash.in_(over))
                .returning(self._table.c.key_hash)
            ).all()
        return len(removed)

    def sealed(self) -> SealedColumn:
        """The answers that are kept, for `kernel.resealing`."""
        return SealedColumn(
            what="answers to repeated requests",
            column=self._table.c.answer_sealed,
            key=self._table.c.key_hash,
            context=lambda row: _context(row.key),
        )

    def _is(self, claim: Claim) -> tuple[Any, Any]:
        return self._table.c.key_hash == claim.key_hash, self._table.c.claim == claim.claim


def _key_hash(whose: str, key: str) -> bytes:
    secret = _settings().ledger_secret()
    return keyed_hash(secret, b"idempotency", whose.encode(), key.encode("ascii"))


def _sealed(answered: Answered, key_hash: bytes) -> bytes:
    head = json.dumps([answered.status, answered.headers]).encode()
    return (
        _settings()
        .vault()
        .seal(len(head).to_bytes(4, "big") + head + answered.body, context=_context(key_hash))
    )


def _opened(sealed: bytes, key_hash: bytes) -> Answered:
    try:
        plain = _settings().vault().open(sealed, context=_context(key_hash))
    except CannotOpen as lost:
        # Its key was taken away within the day. Carrying the request out again could do it twice.
        raise KeyReused("the answer can't be opened any more") from lost
    length = int.from_bytes(plain[:4], "big")
    status, headers = json.loads(plain[4 : 4 + length])
    return Answered(status, tuple((name, value) for name, value in headers), plain[4 + length :])


def _context(key_hash: bytes) -> str:
    return f"idempotency:{key_hash.hex()}"


def _settings() -> Settings:
    settings: Settings = program.extensions()["klucznik.settings"]
    return settings
