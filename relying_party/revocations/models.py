"""The tables of revocations, as mixins."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.schema import SchemaItem

from kernel.database import UTCDateTime
from kernel.ids import new_id


class RevocationMixin:
    """Something that was taken back, by whatever told us (`event`).

    Events that can arrive out of order carry a version; a logout has none to carry (0).
    """

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str | None] = mapped_column(String(255))
    sid: Mapped[str | None] = mapped_column(String(255))
    account: Mapped[str | None] = mapped_column(String(64))
    """For whom alone it counts; None: wherever the person is."""
    event: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"))
    revoked_at: Mapped[datetime] = mapped_column(UTCDateTime)
    received_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[SchemaItem, ...]:
        return (Index(None, "issuer", "sid"), Index(None, "issuer", "subject"))


class SeenTokenMixin:
    """The `jti` of a token that has had its effect, and will have none again."""

    jti_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
