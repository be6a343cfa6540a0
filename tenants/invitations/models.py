"""The tables of invitations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id
from tenants.database import Base

OPEN = text("accepted_at IS NULL AND revoked_at IS NULL")


class Invitation(Base):
    """A place in an account that waits for whoever proves the address; its token is kept as a digest."""

    __tablename__ = "invitations"
    __table_args__ = (
        Index(
            "uq_invitations_open",
            *("tenant_id", "email_key"),
            unique=True,
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
        Index(None, "tenant_id", "created_at", "id"),
    )

    tenant_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.tenant_id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    given_name: Mapped[str | None] = mapped_column(String(100))
    family_name: Mapped[str | None] = mapped_column(String(100))
    locale: Mapped[str | None] = mapped_column(String(8))
    invited_by: Mapped[str] = mapped_column(String(120))
    """Whose power is looked at again when it is accepted: `person:<id>`, `client:<id>` or `key:<id>`."""
    sent_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    accepted_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """From then on it is good for nothing, whoever ended it."""
    declined_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Then it was ended by whoever was invited."""
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class InvitedRole(Base):
    """A role that the invited person will hold, on the whole account or on one company."""

    __tablename__ = "invited_roles"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "invitation_id"],
            ["invitations.tenant_id", "invitations.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["tenant_id", "role_id"], ["roles.tenant_id", "roles.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["tenant_id", "company_id"], ["companies.tenant_id", "companies.id"], ondelete="CASCADE"
        ),
        Index(None, "tenant_id", "invitation_id"),
    )

    tenant_id: Mapped[str] = mapped_column(String(12), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    invitation_id: Mapped[UUID]
    role_id: Mapped[UUID]
    company_id: Mapped[str | None] = mapped_column(String(16))
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
