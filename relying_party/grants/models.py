"""The tables of grants and their access tokens, as mixins."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.schema import SchemaItem

from kernel.database import UTCDateTime
from kernel.ids import new_id


class GrantMixin:
    """What a session may ask the provider for: one refresh token, sealed.

    One grant a context, so that two tabs can work for two accounts; the empty context is the
    person alone. `lease_*` say who is renewing right now.
    """

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    context: Mapped[str] = mapped_column(String(64))
    refresh_token: Mapped[bytes | None] = mapped_column(LargeBinary)
    generation: Mapped[int]
    """Grows with every renewal: who saw an older one must look again before renewing."""
    lease_id: Mapped[UUID | None]
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What the provider said of the person in this context: names, roles, permissions."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[SchemaItem, ...]:
        return (UniqueConstraint("session_id", "context"),)


class AccessTokenMixin:
    """A sealed access token for one audience."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("grants.id", ondelete="CASCADE"))
    audience: Mapped[str] = mapped_column(String(255))
    token: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[SchemaItem, ...]:
        return (UniqueConstraint("grant_id", "audience"), Index(None, "expires_at"))
