"""The table of first accesses."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from tenants.database import Base

LONGEST_RETURN = 2000


class FirstAccess(Base):
    """How a person was let in before they had a password: the last way that was given."""

    __tablename__ = "first_accesses"
    __table_args__ = (
        CheckConstraint("how IN ('temporary-password', 'welcome-link')", name="how_is_known"),
    )

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    how: Mapped[str] = mapped_column(String(24))
    return_to: Mapped[str] = mapped_column(String(LONGEST_RETURN))
    """Where the mail leads to, and the person goes on to: an address of an application of ours."""
    given_at: Mapped[datetime] = mapped_column(UTCDateTime)
    until: Mapped[datetime] = mapped_column(UTCDateTime)
