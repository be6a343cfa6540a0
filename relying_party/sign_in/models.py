"""The table of sign-ins under way, as a mixin."""

from datetime import datetime

from sqlalchemy import JSON, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime


class SignInAttemptMixin:
    """One browser tab that was sent to the provider. The `state` that comes back finds the row.

    A row per attempt, so that several tabs can sign in at once; spent by the first answer.
    """

    state_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    nonce: Mapped[str] = mapped_column(String(64))
    code_verifier: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed: it is the half of the proof that must not leave this program."""
    return_to: Mapped[str] = mapped_column(String(2000))
    context: Mapped[str | None] = mapped_column(String(64))
    """The account (and company) that was asked for; None: whatever the provider finds."""
    acr_values: Mapped[list[str]] = mapped_column(JSON)
    max_age: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
    spent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
