"""The ledger: what happened, written with the change itself, and impossible to alter unnoticed.

`Ledger.append` writes a row in the transaction of the change, with a keyed digest of its content.
`seal` then numbers and links the rows of each chain and signs where the chains stand; `verify`
finds any row that was changed, removed, inserted or moved since. Personal fields stand in a table
of their own and can be erased. A program makes its three tables and its one instance:

    class LedgerEntry(LedgerEntryMixin, Base):
        __tablename__ = "ledger_entries"

    class LedgerDetail(LedgerDetailMixin, Base):
        __tablename__ = "ledger_details"

    class LedgerHead(LedgerHeadMixin, Base):
        __tablename__ = "ledger_heads"

    ledger = Ledger(entry=LedgerEntry, detail=LedgerDetail, head=LedgerHead)

and calls `protect(op, ledger_entries, ledger_heads)` in the migration that creates them.
"""

from kernel.ledger.models import LedgerDetailMixin, LedgerEntryMixin, LedgerHeadMixin
from kernel.ledger.protection import protect
from kernel.ledger.service import INSTALLATION, Ledger, Result, Row, Wanted
from kernel.ledger.verification import Finding, Problem, Report

__all__ = [
    "INSTALLATION",
    "Finding",
    "Ledger",
    "LedgerDetailMixin",
    "LedgerEntryMixin",
    "LedgerHeadMixin",
    "Problem",
    "Report",
    "Result",
    "Row",
    "Wanted",
    "protect",
]
