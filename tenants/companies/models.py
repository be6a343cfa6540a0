"""The table of companies."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime, sort_key
from tenants.database import Base

MAIN = text("is_main")


class Company(Base):
    """A company of one account («firma»). Its id is the key that is shown («klucz firmy»)."""

    __tablename__ = "companies"
    __table_args__ = (
        # One key in the whole installation; one main company in an account.
        Index(None, "id", unique=True),
        Index(
            "uq_companies_main", "tenant_id", unique=True, sqlite_where=MAIN, postgresql_where=MAIN
        ),
        Index(None, "tenant_id", "sort_name", "id"),
    )

    tenant_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.tenant_id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    sort_name: Mapped[str] = mapped_column(sort_key(200))
    """The name as lists are ordered and searched by: `kernel.i18n.letters.in_order`."""
    nip: Mapped[str | None] = mapped_column(String(10))
    street: Mapped[str | None] = mapped_column(String(200))
    postcode: Mapped[str | None] = mapped_column(String(16))
    town: Mapped[str | None] = mapped_column(String(100))
    country: Mapped[str] = mapped_column(String(2), default="PL")
    is_main: Mapped[bool]
    archived_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
