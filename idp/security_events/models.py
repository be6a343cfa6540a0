"""The tables of security events: how each application's feed goes, and what was sent over it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id
from tenants.database import Base

OPEN = text("accepted_at IS NULL AND refused_at IS NULL")


class SecurityFeed(Base):
    """How one application takes what is sent to it, heartbeats among it."""

    __tablename__ = "security_feeds"

    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True
    )
    beaten_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """When the last heartbeat was written, by whichever worker."""
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failing_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_error: Mapped[str | None] = mapped_column(String(200))
    """In our words; never what the application answered."""


class SecurityEvent(Base):
    """One event for one application."""

    __tablename__ = "security_events"
    __table_args__ = (
        UniqueConstraint("client_id", "event_id"),
        Index(None, "client_id", "created_at"),
        Index(None, "created_at"),
        Index("ix_security_events_open", "client_id", sqlite_where=OPEN, postgresql_where=OPEN),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"))
    event_id: Mapped[UUID]
    """The fact behind it, and the `jti` of its token."""
    version: Mapped[int] = mapped_column(BigInteger)
    """The fact's number: of two events about one thing the larger one is the later."""
    kind: Mapped[str] = mapped_column(String(64))
    account: Mapped[str | None] = mapped_column(String(12))
    person_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    refused_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """The application said that it will not take it, or it is too old to be told."""
    last_error: Mapped[str | None] = mapped_column(String(200))
