"""The tables of memberships, of the roles that they hold, and of their names in other programs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import OWN, UTCDateTime, sort_key
from kernel.ids import new_id
from tenants.database import Base

ON_ACCOUNT = text("company_id IS NULL")
ON_COMPANY = text("company_id IS NOT NULL")
EXPIRING = text("expires_at IS NOT NULL")


class Membership(Base):
    """A person's tie to an account, in one of two kinds; both at once are two memberships.

    Address and name are what the account typed, and the address is that of the ID.
    """

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("tenant_id", "person_id", "kind"),
        Index(None, "person_id"),
        Index(None, "tenant_id", "kind", "email_key", "id"),
        Index(None, "tenant_id", "kind", "sort_name", "id"),
        CheckConstraint("kind IN ('member', 'client')", name="kind_is_known"),
        CheckConstraint("state IN ('pending', 'active', 'blocked')", name="state_is_known"),
        {"info": {OWN: "person"}},
    )

    tenant_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.tenant_id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    """`pending` has no power until the person accepts."""
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    given_name: Mapped[str | None] = mapped_column(String(100))
    family_name: Mapped[str | None] = mapped_column(String(100))
    sort_name: Mapped[str] = mapped_column(sort_key(210))
    """Family name and given name: what lists are ordered by."""
    phone: Mapped[str | None] = mapped_column(String(32))
    locale: Mapped[str | None] = mapped_column(String(8))
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    signed_out_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Sign-ins from before this moment are not used here: the account ended the person's sessions, blocked
    them, or has them back."""
    blocked_by: Mapped[str | None] = mapped_column(String(120))
    """Who blocked it, while it is: `person:<id>`, `client:<id>`, `key:<id>` or `operator`."""
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Departure(Base):
    """When a membership ended that a person had. Sign-ins from before never count there again."""

    __tablename__ = "departures"

    tenant_id: Mapped[str] = mapped_column(
        ForeignKey("accounts.tenant_id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    left_at: Mapped[datetime] = mapped_column(UTCDateTime)


class Assignment(Base):
    """A role that a member holds, on the whole account or on one company."""

    __tablename__ = "assignments"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "membership_id"],
            ["memberships.tenant_id", "memberships.id"],
            ondelete="CASCADE",
        ),
        # A role that somebody holds can't be removed: the database decides it.
        ForeignKeyConstraint(
            ["tenant_id", "role_id"], ["roles.tenant_id", "roles.id"], ondelete="RESTRICT"
        ),
        ForeignKeyConstraint(
            ["tenant_id", "company_id"], ["companies.tenant_id", "companies.id"], ondelete="CASCADE"
        ),
        Index(
            "uq_assignments_on_account",
            *("tenant_id", "membership_id", "role_id"),
            unique=True,
            sqlite_where=ON_ACCOUNT,
            postgresql_where=ON_ACCOUNT,
        ),
        Index(
            "uq_assignments_on_company",
            *("tenant_id", "membership_id", "role_id", "company_id"),
            unique=True,
            sqlite_where=ON_COMPANY,
            postgresql_where=ON_COMPANY,
        ),
        Index(None, "tenant_id", "membership_id"),
        Index(None, "tenant_id", "role_id"),
        Index(None, "tenant_id", "company_id"),
        Index(
            "ix_assignments_expiring",
            "expires_at",
            sqlite_where=EXPIRING,
            postgresql_where=EXPIRING,
        ),
    )

    tenant_id: Mapped[str] = mapped_column(String(12), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    membership_id: Mapped[UUID]
    role_id: Mapped[UUID]
    company_id: Mapped[str | None] = mapped_column(String(16))
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_by: Mapped[str | None] = mapped_column(String(120))
    """Who gave it: `person:<id>`, `client:<id>` or `key:<id>`."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ExternalId(Base):
    """What another program calls a membership (TEN-15)."""

    __tablename__ = "external_ids"
    __table_args__ = (
        UniqueConstraint("tenant_id", "client_id", "external_id"),
        ForeignKeyConstraint(
            ["tenant_id", "membership_id"],
            ["memberships.tenant_id", "memberships.id"],
            ondelete="CASCADE",
        ),
    )

    tenant_id: Mapped[str] = mapped_column(String(12), primary_key=True)
    membership_id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    external_id: Mapped[str] = mapped_column(String(200))
    asked: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """How the program wanted the membership last, so that it can be told what differs by now."""
