"""The table of flows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id
from tenants.database import Base

LONGEST_RETURN = 2000


class Flow(Base):
    """One try to sign in, register or recover, in one browser."""

    __tablename__ = "flows"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    request: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """The checked authorization request, or None when a page of ours is the goal."""
    return_to: Mapped[str | None] = mapped_column(String(LONGEST_RETURN))
    email: Mapped[str | None] = mapped_column(String(254))
    """The address as typed; nobody has looked it up."""
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    """Who proved a first factor in this flow."""
    first_factor_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    first_factor_amr: Mapped[str | None] = mapped_column(String(16))
    new_password_of: Mapped[UUID | None]
    """Whose temporary password was typed in this flow: good for setting an own one, and no factor."""
    new_password_asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    second_factor_failures: Mapped[int] = mapped_column(default=0)
    mailbox_proven_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    mailbox_proven_for: Mapped[str | None] = mapped_column(String(16))
    """What the mail was about: registration or reset. The proof counts for nothing else."""
    mailbox_email: Mapped[str | None] = mapped_column(String(254))
    """The address whose mailbox was proved, whatever is typed later."""
    password_first: Mapped[bool] = mapped_column(default=False)
    """A session that began before this flow is not enough: the password is asked for again."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    def is_over(self, now: datetime) -> bool:
        return self.finished_at is not None or self.expires_at <= now
