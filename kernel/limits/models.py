"""The table of limits: one row for each thing that is being counted."""

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from kernel.database import UTCDateTime


class LimitMixin:
    """How often something was tried. Whose tries these are is known by a keyed hash only."""

    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    count: Mapped[int]
    # Until then every try is refused, uncounted.
    refused_until: Mapped[datetime] = mapped_column(UTCDateTime)
    # From then on the row means nothing, and the worker may remove it.
    forget_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
