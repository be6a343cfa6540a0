"""The table of facts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id
from tenants.database import Base

WAITING = text("handled_at IS NULL")


class Fact(Base):
    """Something happened that others may have to hear of; written with the change itself."""

    __tablename__ = "facts"
    __table_args__ = (
        Index("ix_facts_waiting", "number", sqlite_where=WAITING, postgresql_where=WAITING),
        Index(None, "handled_at"),
        # A number is never given twice, also when the newest facts were cleaned away.
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    """Given by the database. Of two facts about one thing the later change has the larger number: a
    change holds the thing's row, and the number is drawn meanwhile."""
    id: Mapped[UUID] = mapped_column(unique=True, default=new_id)
    """Also the event's id for everybody who hears of it."""
    kind: Mapped[str] = mapped_column(String(64))
    account: Mapped[str | None] = mapped_column(String(12))
    person_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    handled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
