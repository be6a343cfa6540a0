"""Tables of grants and refresh tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id
from tenants.database import Base

IN_ACCOUNT = text("account IS NOT NULL")


class Grant(Base):
    """One sign-in to one application: its code, what was allowed, and whether it still stands.

    The code and the grant are one row, so that giving a code is one insert.
    """

    __tablename__ = "grants"
    __table_args__ = (
        Index(None, "session_id"),
        Index(None, "person_id", "client_id"),
        Index(
            "ix_grants_in_account",
            *("account", "client_id"),
            sqlite_where=IN_ACCOUNT,
            postgresql_where=IN_ACCOUNT,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    client_id: Mapped[str] = mapped_column(ForeignKey("clients.id", ondelete="CASCADE"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    session_id: Mapped[UUID] = mapped_column(ForeignKey("browser_sessions.id", ondelete="CASCADE"))
    sid: Mapped[UUID]
    scopes: Mapped[list[str]] = mapped_column(JSON)
    resources: Mapped[list[str]] = mapped_column(JSON)
    """What `resource` named at /authorize; empty: whatever the client may have."""
    auth_time: Mapped[datetime] = mapped_column(UTCDateTime)
    acr: Mapped[str] = mapped_column(String(64))
    amr: Mapped[list[str]] = mapped_column(JSON)
    nonce: Mapped[str | None] = mapped_column(String(500))
    account: Mapped[str | None] = mapped_column(String(12))
    """The context: the account, and perhaps its company, in which the person uses the application."""
    company: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    code_expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    redirect_uri: Mapped[str] = mapped_column(String(2000))
    code_challenge: Mapped[str | None] = mapped_column(String(43))
    redeemed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    kept_until: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    """When nothing that came of it can be alive, and a replay tells nobody anything."""
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_for: Mapped[str | None] = mapped_column(String(32))


class RefreshToken(Base):
    """One link of a chain of refresh tokens. All links of a chain hang on one grant."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index(None, "grant_id"),
        Index(
            "ix_refresh_tokens_answer_kept",
            "spent_at",
            sqlite_where=text("answer_sealed IS NOT NULL"),
            postgresql_where=text("answer_sealed IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("grants.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """The idle end: each link lives so long unused."""
    chain_expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    """The absolute end, the same for all links."""
    spent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    spent_on: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """Digest of the request that spent it: only that very request may be repeated."""
    answer_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The answer to that request, under a key that only the spent token gives."""


class RevokedAccessToken(Base):
    """The `jti` of an access token that was revoked before its time."""

    __tablename__ = "revoked_access_tokens"

    jti_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
