"""The table of accounts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import OWN, UTCDateTime, sort_key
from tenants.database import Base


class Account(Base):
    """A tenant: a firm or office that uses the product («konto firmy»).

    Its id («ID Konta») is the `tenant_id` of everything that belongs to it. A closed account keeps its
    row, so that no id ever returns.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended', 'closed')", name="status_is_known"),
        CheckConstraint("second_factor IN ('default', 'strong')", name="second_factor_is_known"),
        # The operator's list of all accounts.
        Index(None, "sort_name", "tenant_id"),
        {"info": {OWN: "tenant"}},
    )

    tenant_id: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    sort_name: Mapped[str] = mapped_column(sort_key(200))
    """The name as lists are ordered and searched by: `kernel.i18n.letters.in_order`."""
    nip: Mapped[str | None] = mapped_column(String(10), index=True)
    """Ten digits. Not unique: two accounts may have one number, and share nothing (TEN-17)."""
    is_accounting_office: Mapped[bool]
    street: Mapped[str | None] = mapped_column(String(200))
    postcode: Mapped[str | None] = mapped_column(String(16))
    town: Mapped[str | None] = mapped_column(String(100))
    country: Mapped[str] = mapped_column(String(2), default="PL")
    status: Mapped[str] = mapped_column(String(16), default="active")
    second_factor: Mapped[str] = mapped_column(String(16), default="default")
    """`strong`: who works here signs in with more than a code by mail (ID-6)."""
    sign_in_hours: Mapped[int | None]
    """How old a sign-in may be that is used here; None: as old as a session lives."""
    flagged_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Since when it has no admin who can act, and waits for the operator to hand it over."""
    closed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
