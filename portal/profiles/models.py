"""The table of profiles."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id
from portal.database import Base


class Profile(Base):
    """What the portal keeps of one person, known as (issuer, subject)."""

    __tablename__ = "profiles"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    first_entered_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_entered_at: Mapped[datetime] = mapped_column(UTCDateTime)
