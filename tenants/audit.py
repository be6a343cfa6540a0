"""The identity program's ledger, and the grammar of what is written into it."""

import re
from enum import StrEnum

from kernel.ledger import Ledger, LedgerDetailMixin, LedgerEntryMixin, LedgerHeadMixin
from tenants.database import Base

_GRAMMAR = re.compile(r"[a-z]+(-[a-z]+)*(:[a-z]+(-[a-z]+)*){1,2}")


class LedgerEntry(LedgerEntryMixin, Base):
    """One event."""

    __tablename__ = "ledger_entries"


class LedgerDetail(LedgerDetailMixin, Base):
    """The personal fields of an event, which can be erased."""

    __tablename__ = "ledger_details"


class LedgerHead(LedgerHeadMixin, Base):
    """Where a chain stood when it was sealed."""

    __tablename__ = "ledger_heads"


ledger = Ledger(entry=LedgerEntry, detail=LedgerDetail, head=LedgerHead)


class Event(StrEnum):
    """What can happen, as `thing:part:what-happened`. Each package adds an enum of its own.

    A member that does not follow the grammar can't be defined.
    """

    def __init__(self, value: str) -> None:
        if not _GRAMMAR.fullmatch(value):
            raise ValueError(f"{value!r} is no name of an event")


def person_chain(person_id: object) -> str:
    """The chain of one person's history."""
    return f"person:{person_id}"
