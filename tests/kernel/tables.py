"""Concrete tables for the kernel's tests, and two tenant tables to try the walls on."""

from uuid import UUID

from sqlalchemy import ForeignKey, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from kernel.api.idempotency import IdempotentRequestMixin, IdempotentRequests
from kernel.database import NAMING, Database
from kernel.database.scopes import OWN
from kernel.ids import new_id
from kernel.ledger import Ledger, LedgerDetailMixin, LedgerEntryMixin, LedgerHeadMixin
from kernel.limits import LimitMixin, Limits
from kernel.outbox import Outbox, OutboxMessageMixin


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


db = Database(Base)


class Reader(Base):
    """Ties a person to a tenant."""

    __tablename__ = "readers"
    __table_args__ = ({"info": {OWN: "person"}},)

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)


class Folder(Base):
    """Belongs to one tenant. Its readers see it from wherever they are."""

    __tablename__ = "folders"
    __table_args__ = ({"info": {OWN: "tenant"}},)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant_id: Mapped[str]
    name: Mapped[str]


class Paper(Base):
    """Lies in a folder of the same tenant."""

    __tablename__ = "papers"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant_id: Mapped[str]
    folder_id: Mapped[UUID] = mapped_column(ForeignKey("folders.id"))
    text: Mapped[str]


class Country(Base):
    """Belongs to nobody."""

    __tablename__ = "countries"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Limit(LimitMixin, Base):
    __tablename__ = "limits"


class IdempotentRequest(IdempotentRequestMixin, Base):
    __tablename__ = "idempotent_requests"


class OutboxMessage(OutboxMessageMixin, Base):
    __tablename__ = "outbox_messages"


class LedgerEntry(LedgerEntryMixin, Base):
    __tablename__ = "ledger_entries"


class LedgerDetail(LedgerDetailMixin, Base):
    __tablename__ = "ledger_details"


class LedgerHead(LedgerHeadMixin, Base):
    __tablename__ = "ledger_heads"


limits = Limits(Limit)
outbox = Outbox(OutboxMessage)
idempotent_requests = IdempotentRequests(IdempotentRequest)
ledger = Ledger(entry=LedgerEntry, detail=LedgerDetail, head=LedgerHead)
