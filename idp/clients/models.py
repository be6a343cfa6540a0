"""The tables of registered applications."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id
from tenants.database import Base


class Client(Base):
    """An application that people sign in to, or that acts for itself."""

    __tablename__ = "clients"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    owner: Mapped[str | None] = mapped_column(String(200))
    """Who answers for the application, as people are told when they are asked for consent."""
    profile: Mapped[str] = mapped_column(String(32))
    first_party: Mapped[bool]
    application_type: Mapped[str] = mapped_column(String(16))
    token_endpoint_auth_method: Mapped[str] = mapped_column(String(32))
    grant_types: Mapped[list[str]] = mapped_column(JSON)
    redirect_uris: Mapped[list[str]] = mapped_column(JSON)
    post_logout_redirect_uris: Mapped[list[str]] = mapped_column(JSON)
    backchannel_logout_uri: Mapped[str | None] = mapped_column(String(2000))
    security_events_uri: Mapped[str | None] = mapped_column(String(2000))
    """Where it hears of blocks and changed permissions within a second (RFC 8935)."""
    scopes: Mapped[list[str]] = mapped_column(JSON)
    audiences: Mapped[list[str]] = mapped_column(JSON)
    """What `resource` may name; the first one is meant where a request names none."""
    serves: Mapped[list[str]] = mapped_column(JSON)
    """The audiences whose API this application is: it may look at tokens meant for them."""
    id_token_signed_response_alg: Mapped[str] = mapped_column(String(8))
    access_token_signed_response_alg: Mapped[str] = mapped_column(String(8))
    refresh_without_offline_access: Mapped[bool]
    application: Mapped[str | None] = mapped_column(String(64))
    """The application of `tenants.applications` that it signs people in to: which context it needs, and
    whether an account has it. None: it knows no accounts."""
    jwks: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    jwks_uri: Mapped[str | None] = mapped_column(String(2000))
    client_uri: Mapped[str | None] = mapped_column(String(2000))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class ClientSecret(Base):
    """A client's secret, as its digest. While one is replaced, two are good."""

    __tablename__ = "client_secrets"
    __table_args__ = (Index(None, "client_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class SpentAssertion(Base):
    """The `jti` of a client assertion that was accepted once, and never will be again."""

    __tablename__ = "spent_assertions"

    client_id: Mapped[str] = mapped_column(
        ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True
    )
    jti_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
