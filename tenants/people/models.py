"""The table of people. A person is not a membership: this is the single ID, good everywhere."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id
from tenants.database import Base


class Person(Base):
    """Somebody with an ID. `sub` in tokens is `str(id)`, and never changes or returns."""

    __tablename__ = "people"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'blocked', 'erased')", name="status_is_known"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    """The address as addresses are compared: one in the whole installation."""
    status: Mapped[str] = mapped_column(String(16), default="active")
    given_name: Mapped[str | None] = mapped_column(String(100))
    family_name: Mapped[str | None] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(String(32))
    locale: Mapped[str | None] = mapped_column(String(8))
    zoneinfo: Mapped[str | None] = mapped_column(String(64))
    picture: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
