"""The table of messages that wait, are under way, or went."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id

WAITING = text("state = 'waiting'")


class State(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    DEAD = "dead"


class OutboxMessageMixin:
    """One message. Its id is the id that the receiver sees, the same for every attempt."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    lane: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(64))
    # Whose queue this is in: a mail server, a client. No personal data; it stays when the rest goes.
    destination: Mapped[str] = mapped_column(String(255))
    # Encrypted for this row; gone once delivered or expired.
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(16), default=State.WAITING)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    # When it may be tried (again). A worker that takes it moves this to the end of its lease.
    due_at: Mapped[datetime] = mapped_column(UTCDateTime)
    lease: Mapped[UUID | None]
    attempts: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # The kind of the last failure, in our words; never what a receiver answered.
    last_error: Mapped[str | None] = mapped_column(String(200))

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        name = getattr(cls, "__tablename__", "outbox_messages")
        return (
            Index(
                f"ix_{name}_waiting",
                "lane",
                "destination",
                "due_at",
                "id",
                sqlite_where=WAITING,
                postgresql_where=WAITING,
            ),
            Index(f"ix_{name}_finished", "finished_at"),
        )
