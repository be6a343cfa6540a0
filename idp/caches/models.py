"""The table of versions."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from tenants.database import Base


class CacheVersion(Base):
    """How often the rows behind one kind of cache have changed."""

    __tablename__ = "cache_versions"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int]
