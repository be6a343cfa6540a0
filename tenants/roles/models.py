"""The tables of roles and their permissions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id
from tenants.database import Base

ADMIN = text("is_admin")


class Role(Base):
    """A role of one account. The admin role has every permission, and can be neither changed nor removed."""

    __tablename__ = "roles"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name_key"),
        Index(
            "uq_roles_admin", "tenant_id", unique=True, sqlite_where=ADMIN, postgresql_where=ADMIN
        ),
        CheckConstraint("second_factor IN ('default', 'strong')", name="second_factor_is_known"),
    )

    tenant_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.tenant_id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(100))
    name_key: Mapped[str] = mapped_column(String(100))
    """The name as names are compared: one of each in an account."""
    is_admin: Mapped[bool]
    second_factor: Mapped[str] = mapped_column(String(16), default="default")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class RolePermission(Base):
    """A tick in the grid of roles and permissions (TEN-8)."""

    __tablename__ = "role_permissions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "role_id"], ["roles.tenant_id", "roles.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["application_id", "permission"],
            ["permissions.application_id", "permissions.name"],
            ondelete="CASCADE",
        ),
        Index(None, "application_id", "permission"),
    )

    tenant_id: Mapped[str] = mapped_column(String(12), primary_key=True)
    role_id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    permission: Mapped[str] = mapped_column(String(64), primary_key=True)
