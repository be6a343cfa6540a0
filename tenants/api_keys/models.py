"""The tables of API keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id
from tenants.database import Base


class ApiKey(Base):
    """A key of an account's own program. What it may do is never more than its owner may, now."""

    __tablename__ = "api_keys"
    __table_args__ = (Index(None, "tenant_id", "created_at", "id"),)

    tenant_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.tenant_id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(100))
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    permissions: Mapped[list[str]] = mapped_column(JSON)
    """Of the API itself (`applications.ACCOUNTS`) by name, of others as `application/permission`."""
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ApiKeySecret(Base):
    """A secret of a key, as its digest. While one is replaced, two are good."""

    __tablename__ = "api_key_secrets"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "key_id"], ["api_keys.tenant_id", "api_keys.id"], ondelete="CASCADE"
        ),
        Index(None, "tenant_id", "key_id"),
    )

    tenant_id: Mapped[str] = mapped_column(String(12), primary_key=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    key_id: Mapped[UUID]
    hint: Mapped[str] = mapped_column(String(8))
    """The last characters, by which people tell their keys apart."""
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
