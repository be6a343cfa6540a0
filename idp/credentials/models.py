"""Tables of credentials. None holds a secret in clear."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime
from kernel.ids import new_id
from tenants.database import Base

_CONFIRMED = text("confirmed_at IS NOT NULL")
_IMPORTED = text("imported_milliseconds IS NOT NULL")
_OPEN = text("ended_at IS NULL")


class Password(Base):
    """A person's password, as Argon2's own text: parameters, salt and hash.

    Until the first sign-in, an imported one has the text of the system that it came from.
    """

    __tablename__ = "passwords"
    __table_args__ = (
        Index(
            "ix_passwords_imported",
            "imported_milliseconds",
            sqlite_where=_IMPORTED,
            postgresql_where=_IMPORTED,
        ),
    )

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    hash: Mapped[str] = mapped_column(String(255))
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    temporary_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """Set for a password that we made and mailed: until then it opens the setting of one's own."""
    imported_milliseconds: Mapped[int | None]
    """Of a hash from another system: what it costs to verify, on the machine that we measured on."""


class EmailCode(Base):
    """A code that was mailed. It counts in one flow, for one purpose."""

    __tablename__ = "email_codes"
    __table_args__ = (Index(None, "flow_id", "purpose"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    flow_id: Mapped[UUID] = mapped_column(ForeignKey("flows.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(16))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    superseded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class MailedLink(Base):
    """A link that was mailed. It counts once, for one purpose and one address, in any browser."""

    __tablename__ = "mailed_links"
    __table_args__ = (Index(None, "email_key", "purpose"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    purpose: Mapped[str] = mapped_column(String(16))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    flow_id: Mapped[UUID | None] = mapped_column(ForeignKey("flows.id", ondelete="SET NULL"))
    """The flow in which it was asked for; it goes on there if the same browser opens the link."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    superseded_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Totp(Base):
    """An authenticator app: confirmed, or still being set up."""

    __tablename__ = "totps"
    __table_args__ = (
        Index(
            "uq_totps_confirmed",
            "person_id",
            unique=True,
            sqlite_where=_CONFIRMED,
            postgresql_where=_CONFIRMED,
        ),
        Index(None, "person_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    """The last time step whose code was accepted. It only grows, so no code counts twice."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class RecoveryCode(Base):
    """A code on paper that stands in for a lost factor, once."""

    __tablename__ = "recovery_codes"
    __table_args__ = (Index(None, "person_id", "code_hash", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    salt: Mapped[bytes] = mapped_column(LargeBinary(16))
    """Of all codes that were made together: one hash finds out whether a code is among them."""
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Passkey(Base):
    """A key pair of somebody's device, synced account or security key. We hold the public half."""

    __tablename__ = "passkeys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    """The authenticator's name for it; unique in the installation."""
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    user_handle: Mapped[bytes] = mapped_column(LargeBinary(64))
    """Random, the same for all passkeys of a person; tells nobody who it is."""
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(60))
    transports: Mapped[list[str]] = mapped_column(JSON)
    is_verifying: Mapped[bool] = mapped_column()
    """The device has checked who holds it (PIN, finger, face), so the passkey may count alone."""
    is_syncable: Mapped[bool] = mapped_column()
    """It may live on several devices of the person (backup eligible)."""
    is_synced: Mapped[bool] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class PasskeyChallenge(Base):
    """What a passkey has to sign. It counts once, for one ceremony, in one browser and flow."""

    __tablename__ = "passkey_challenges"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    challenge_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    ceremony: Mapped[str] = mapped_column(String(16))
    flow_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("flows.id", ondelete="CASCADE"), index=True
    )
    person_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), index=True
    )
    """Whose passkey is awaited, where that is known."""
    user_handle: Mapped[bytes | None] = mapped_column(LargeBinary(64))
    """What a passkey that is being made is to be filed under."""
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class LostFactorsRequest(Base):
    """Somebody without any of their strong factors asks the operator to take them away."""

    __tablename__ = "lost_factors_requests"
    __table_args__ = (
        Index(
            "uq_lost_factors_requests_open",
            "person_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(None, "person_id", "asked_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    contact: Mapped[str] = mapped_column(String(200))
    """How the operator reaches the person."""
    note: Mapped[str | None] = mapped_column(String(1000))
    address: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(512))
    stop_token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    """Of the newest mailed link that stops the request."""
    asked_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    """Undecided, it lapses then; approved, so does the permission."""
    approved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ready_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """The end of the waiting time, in which the owner can object."""
    decided_by: Mapped[str | None] = mapped_column(String(200))
    proof: Mapped[str | None] = mapped_column(String(1000))
    """What the operator saw, in their words."""
    reason: Mapped[str | None] = mapped_column(String(1000))
    """Why it was refused; the person reads it."""
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    outcome: Mapped[str | None] = mapped_column(String(16))
