"""The table of facts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id
from tenants.database import Base

WAITING = text("handled_at IS NULL")


class Fact(Base):
    """Something happened that others may have to hear of; written with the change itself."""

    __tablename__ = "facts"
    __table_args__ = (
        Index("ix_facts_waiting", "id", sqlite_where=WAITING, postgresql_where=WAITING),
        Index(None, "handled_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    """Also the event's id for everybody who hears of it."""
    kind: Mapped[str] = mapped_column(String(64))
    account: Mapped[str | None] = mapped_column(String(12))
    person_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    handled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
