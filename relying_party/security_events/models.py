"""The table of the feed, as a mixin."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime


class EventFeedMixin:
    """How it stands with the feed of one issuer."""

    issuer: Mapped[str] = mapped_column(String(255), primary_key=True)
    heard_at: Mapped[datetime] = mapped_column(UTCDateTime)
    whole_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    """When the provider last said that nothing is missing; None: it said that something is."""
