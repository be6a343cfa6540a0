"""The table of OAuth consents."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id
from tenants.database import Base


class OAuthConsent(Base):
    """A person allowed an application something, in one account or in none.

    Nothing is overwritten: a new answer is a new row.
    """

    __tablename__ = "oauth_consents"
    __table_args__ = (Index(None, "person_id", "client_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    # No foreign key: applications belong to a layer above.
    client_id: Mapped[str] = mapped_column(String(64))
    account: Mapped[str] = mapped_column(String(12), server_default="")
    """The account whose data it was given for; empty: for none."""
    scopes: Mapped[list[str]] = mapped_column(JSON)
    given_at: Mapped[datetime] = mapped_column(UTCDateTime)
    address: Mapped[str | None] = mapped_column(String(45))
    withdrawn_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
