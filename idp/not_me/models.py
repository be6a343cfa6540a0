"""Tables of locked IDs, and of the links with which their owners lock them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id
from tenants.database import Base


class SignInLock(Base):
    """An ID that nobody signs in with until its password was set anew. The history is the ledger's."""

    __tablename__ = "sign_in_locks"

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    locked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(32))


class NotMeLink(Base):
    """The link of one notice. It counts once, for one person and what that notice was about."""

    __tablename__ = "not_me_links"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    notice: Mapped[str] = mapped_column(String(64))
    """What the mail told of: the name of its letter."""
    added_kind: Mapped[str | None] = mapped_column(String(16))
    added_id: Mapped[UUID | None]
    """The factor that the mail said was added, which goes when it was not its owner."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
