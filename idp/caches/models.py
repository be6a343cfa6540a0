"""The table of versions."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from tenants.database import Base


class CacheVersion(Base):
    """A number that is new whenever the rows behind one kind of cache have changed.

    It is drawn, not counted: a change that is undone and another one never share a number.
    """

    __tablename__ = "cache_versions"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
