"""The three tables of a ledger: what happened, whom it names, and where the chains stand."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from kernel.database import UTCDateTime

UNSEALED = text("sequence IS NULL")
LABEL = 120


class LedgerEntryMixin:
    """One event. Only its place (the last three columns) is set later, once, by sealing."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    # person:<id>, account:<id> or installation: whose history this is.
    chain: Mapped[str] = mapped_column(String(LABEL))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    event: Mapped[str] = mapped_column(String(LABEL))
    result: Mapped[str] = mapped_column(String(16))
    # Pseudonyms: identifiers that mean nothing once the row that they name is gone.
    actor: Mapped[str | None] = mapped_column(String(LABEL))
    real_actor: Mapped[str | None] = mapped_column(String(LABEL))
    account: Mapped[str | None] = mapped_column(String(LABEL))
    subject: Mapped[str | None] = mapped_column(String(LABEL))
    session: Mapped[str | None] = mapped_column(String(LABEL))
    request: Mapped[str | None] = mapped_column(String(LABEL))
    # Canonical JSON, nothing personal.
    details: Mapped[str] = mapped_column(Text)
    # Whose personal fields stand beside it, and the salted digest that holds them to this row.
    about: Mapped[str | None] = mapped_column(String(LABEL))
    personal_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    # The keyed digest of all of the above.
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))

    sequence: Mapped[int | None] = mapped_column(BigInteger)
    # The number of the head that was signed with it.
    head: Mapped[int | None] = mapped_column(BigInteger)
    # The keyed digest that ties it to its place, its head and all entries before it.
    link: Mapped[bytes | None] = mapped_column(LargeBinary(32))

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        name = getattr(cls, "__tablename__", "ledger_entries")
        return (
            UniqueConstraint("chain", "sequence"),
            Index(f"ix_{name}_chain_at", "chain", "at", "id"),
            Index(f"ix_{name}_unsealed", "id", sqlite_where=UNSEALED, postgresql_where=UNSEALED),
        )


class LedgerDetailMixin:
    """The personal fields of an event: an address, a device, what was typed. Can be erased."""

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    about: Mapped[str | None] = mapped_column(String(LABEL), index=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    # Without the salt nobody can try out whether the digest in the entry was made of a guess.
    salt: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    fields: Mapped[str | None] = mapped_column(Text)
    erased_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class LedgerHeadMixin:
    """Where one chain stood when it was sealed. The heads themselves are one chain, and signed."""

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    chain: Mapped[str] = mapped_column(String(LABEL))
    sequence: Mapped[int] = mapped_column(BigInteger)
    link: Mapped[bytes] = mapped_column(LargeBinary(32))
    sealed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    # The keyed digest of this head and the one before it.
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    # On the last head of each sealing: it covers the others through their digests.
    signature: Mapped[bytes | None] = mapped_column(LargeBinary(64))

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return (UniqueConstraint("chain", "sequence"),)
