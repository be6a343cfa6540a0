"""The tables of applications as accounts know them, and of the permissions that they declare."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import OWN, UTCDateTime
from tenants.database import Base


class Application(Base):
    """Something that accounts use. Who signs in on its behalf (the client) is registered above."""

    __tablename__ = "applications"
    __table_args__ = (
        CheckConstraint("context IN ('none', 'account', 'company')", name="context_is_known"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    audience: Mapped[str] = mapped_column(String(500), unique=True)
    """Whom tokens for its API name in `aud`."""
    context: Mapped[str] = mapped_column(String(16))
    """What a sign-in to it has to name: nothing, an account, or a company."""
    for_every_account: Mapped[bool]
    """Whether accounts have it without being given it."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Permission(Base):
    """One thing that an application lets people do (OP-4)."""

    __tablename__ = "permissions"
    __table_args__ = (CheckConstraint("level IN ('account', 'company')", name="level_is_known"),)

    application_id: Mapped[str] = mapped_column(
        ForeignKey("applications.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    label_en: Mapped[str] = mapped_column(String(200))
    label_pl: Mapped[str] = mapped_column(String(200))
    level: Mapped[str] = mapped_column(String(16))
    """`account`: means nothing on one company alone."""
    position: Mapped[int]
    retired_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Since when the application no longer declares it: nobody has it, and no role loses its tick."""


class AccountApplication(Base):
    """An account has an application (TEN-17)."""

    __tablename__ = "account_applications"
    __table_args__ = ({"info": {OWN: "tenant"}},)

    tenant_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.tenant_id", ondelete="CASCADE"), primary_key=True
    )
    application_id: Mapped[str] = mapped_column(
        ForeignKey("applications.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    given_by: Mapped[UUID | None]
    given_at: Mapped[datetime] = mapped_column(UTCDateTime)
