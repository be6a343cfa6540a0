"""Concrete tables for the kernel's tests, and two tenant tables to try the walls on."""

from uuid import UUID

from sqlalchemy import ForeignKey, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from kernel.database import NAMING, Database
from kernel.ids import new_id


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


db = Database(Base)


class Folder(Base):
    """Belongs to one tenant."""

    __tablename__ = "folders"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant_id: Mapped[UUID]
    name: Mapped[str]


class Paper(Base):
    """Lies in a folder of the same tenant."""

    __tablename__ = "papers"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant_id: Mapped[UUID]
    folder_id: Mapped[UUID] = mapped_column(ForeignKey("folders.id"))
    text: Mapped[str]


class Country(Base):
    """Belongs to nobody."""

    __tablename__ = "countries"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
