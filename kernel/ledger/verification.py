"""Finding what was done to a ledger behind its back, and where."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from sqlalchemy import Column, Select, and_, select, text, tuple_
from sqlalchemy.orm import Session

from kernel.crypto import constant_time_equal
from kernel.database import Database
from kernel.ledger import digests
from kernel.ledger.sealing import Tables, read

_PAGE = 1_000
_MOST_PROBLEMS = 1_000


class Problem(StrEnum):
    """What can be wrong with a row."""

    CHANGED = "changed, or written by hand"
    REMOVED = "removed"
    MOVED = "moved, inserted or removed in front of it"
    UNSIGNED = "no signed head vouches for it"
    PERSONAL_CHANGED = "its personal fields were changed"
    PERSONAL_REMOVED = "its personal fields are gone, and no erasure is on record"
    PERSONAL_INSERTED = "personal fields that belong to no entry"
    HEAD_CHANGED = "a signed head was changed"
    HEAD_REMOVED = "a signed head was removed"
    ROLLED_BACK = "the ledger was put back to an earlier state"


@dataclass(frozen=True)
class Finding:
    """One problem, and where."""

    problem: Problem
    chain: str | None = None
    sequence: int | None = None
    entry_id: UUID | None = None
    head: int | None = None
    at: datetime | None = None

    def __str__(self) -> str:
        places = {
            "chain": self.chain,
            "row": self.sequence,
            "id": self.entry_id,
            "head": self.head,
            "at": self.at and self.at.isoformat(),
        }
        where = ", ".join(f"{name} {value}" for name, value in places.items() if value is not None)
        return f"{where}: {self.problem}"


@dataclass
class Report:
    """What `verify` saw."""

    entries: int = 0
    chains: int = 0
    heads: int = 0
    unsealed: int = 0
    oldest_unsealed: datetime | None = None
    findings: list[Finding] = field(default_factory=list)
    # There were more findings than anybody wants to read.
    cut: bool = False
    _seen: set[Finding] = field(default_factory=set, repr=False)

    @property
    def ok(self) -> bool:
        """Whether nothing was done to the ledger."""
        return not self.findings

    def found(self, finding: Finding) -> None:
        """Add a finding once, up to a bound."""
        if finding in self._seen:
            return
        if len(self.findings) < _MOST_PROBLEMS:
            self._seen.add(finding)
            self.findings.append(finding)
        else:
            self.cut = True


def verify(
    db: Database, tables: Tables, keys: digests.Keys, erased: str, *, known_head: str | None
) -> Report:
    """Read the whole ledger once, as it stood at one moment."""
    report = Report()
    with db.reading() as session:
        _hold_still(session)
        _check_heads(session, tables, keys, report, known_head)
        _check_sealed(session, tables, keys, report, _Erasures(session, tables, keys, erased))
        _check_claims(session, tables, report)
        _check_unsealed(session, tables, keys, report)
        _check_orphans(session, tables, report)
    return report


def _hold_still(session: Session) -> None:
    """One picture for all queries (on SQLite a transaction always sees one), and time for it."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        session.execute(text("SET LOCAL statement_timeout = 0"))


class _Erasures:
    """Which personal fields may be gone: those whose erasure is itself in the ledger."""

    def __init__(self, session: Session, tables: Tables, keys: digests.Keys, event: str) -> None:
        self._about: dict[str, datetime] = {}
        self._before: str = ""
        entries = tables.entries
        found = session.execute(select(entries).where(entries.c.event == event)).mappings()
        for entry in map(dict, found):
            if not constant_time_equal(entry["mac"], digests.mac(keys, entry)):
                continue
            if entry["subject"] is not None:
                known = self._about.get(entry["subject"])
                self._about[entry["subject"]] = max(known or entry["at"], entry["at"])
            self._before = max(self._before, read(entry["details"]).get("before", ""))

    def allow(self, entry: Mapping[str, Any]) -> bool:
        """Whether an erasure on record covers this entry."""
        erased_at = self._about.get(entry["about"] or "")
        if erased_at is not None and entry["at"] <= erased_at:
            return True
        # Moments in their canonical spelling sort as they follow each other.
        return digests.canonical(entry["at"]).strip('"') < self._before


def _check_heads(
    session: Session, tables: Tables, keys: digests.Keys, report: Report, known_head: str | None
) -> None:
    known_number, known_digest = _parse(known_head)
    number, previous, signed = 0, digests.START, True
    heads = tables.heads
    for head in _pages(session, select(heads), heads.c.number):
        report.heads += 1
        if head["number"] != number + 1:
            report.found(Finding(Problem.HEAD_REMOVED, head=number + 1))
        elif not _head_holds(keys, head, previous):
            report.found(Finding(Problem.HEAD_CHANGED, head=head["number"]))
        number, previous = head["number"], head["digest"]
        signed = head["signature"] is not None
        if number == known_number and previous.hex() != known_digest:
            report.found(Finding(Problem.ROLLED_BACK, head=known_number))
    if not signed:
        report.found(Finding(Problem.HEAD_REMOVED, head=number + 1))
    if known_number > number:
        report.found(Finding(Problem.ROLLED_BACK, head=known_number))


def _head_holds(keys: digests.Keys, head: Mapping[str, Any], previous: bytes) -> bool:
    expected = digests.head_digest(keys, previous=previous, head=head)
    if not constant_time_equal(head["digest"], expected):
        return False
    if head["signature"] is None:
        return True
    try:
        keys.public.verify(head["signature"], head["digest"])
    except InvalidSignature:
        return False
    return True


def _parse(known_head: str | None) -> tuple[int, str]:
    if known_head is None:
        return 0, ""
    number, _, rest = known_head.partition(".")
    return int(number), rest.partition(".")[0]


def _check_sealed(
    session: Session, tables: Tables, keys: digests.Keys, report: Report, erasures: _Erasures
) -> None:
    entries, details, heads = tables.entries, tables.details, tables.heads
    statement = (
        select(
            entries,
            details.c.salt,
            details.c.fields,
            heads.c.chain.label("head_chain"),
            heads.c.sequence.label("head_sequence"),
            heads.c.link.label("head_link"),
            heads.c.sealed_at,
        )
        .outerjoin(details, details.c.entry_id == entries.c.id)
        .outerjoin(heads, heads.c.number == entries.c.head)
        .where(entries.c.sequence.is_not(None))
    )
    before: Mapping[str, Any] | None = None
    for entry in _pages(session, statement, entries.c.chain, entries.c.sequence):
        if before is None or before["chain"] != entry["chain"]:
            report.chains += 1
            before = None
        report.entries += 1
        _check_content(entry, keys, report, erasures)
        _check_place(entry, before, keys, report)
        before = entry


def _check_content(
    entry: Mapping[str, Any], keys: digests.Keys, report: Report, erasures: _Erasures
) -> None:
    if not constant_time_equal(entry["mac"], digests.mac(keys, entry)):
        report.found(_finding(Problem.CHANGED, entry))
    elif entry["personal_digest"] is None:
        return
    elif entry["salt"] is None or entry["fields"] is None:
        if not erasures.allow(entry):
            report.found(_finding(Problem.PERSONAL_REMOVED, entry))
    elif entry["personal_digest"] != digests.personal_digest(entry["salt"], entry["fields"]):
        report.found(_finding(Problem.PERSONAL_CHANGED, entry))


def _check_place(
    entry: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    keys: digests.Keys,
    report: Report,
) -> None:
    expected = before["sequence"] + 1 if before else 1
    if entry["sequence"] != expected:
        for missing in range(expected, min(entry["sequence"], expected + _MOST_PROBLEMS + 1)):
            report.found(Finding(Problem.REMOVED, entry["chain"], missing))
        if entry["sequence"] < expected:
            report.found(_finding(Problem.MOVED, entry))
        return
    if entry["head_chain"] != entry["chain"] or entry["head_sequence"] < expected:
        report.found(_finding(Problem.UNSIGNED, entry))
        return
    link = digests.link(
        keys,
        previous=(before["link"] if before else None) or digests.START,
        chain=entry["chain"],
        sequence=expected,
        head=entry["head"],
        sealed_at=entry["sealed_at"],
        mac=entry["mac"],
    )
    if entry["link"] != link or (entry["head_sequence"] == expected and entry["head_link"] != link):
        report.found(_finding(Problem.MOVED, entry))


def _check_claims(session: Session, tables: Tables, report: Report) -> None:
    """Every place that was signed must still have its row."""
    entries, heads = tables.entries, tables.heads
    statement = (
        select(heads)
        .outerjoin(
            entries,
            and_(heads.c.chain == entries.c.chain, heads.c.sequence == entries.c.sequence),
        )
        .where(entries.c.id.is_(None))
        .order_by(heads.c.number)
        .limit(_MOST_PROBLEMS)
    )
    for head in session.execute(statement).mappings():
        report.found(Finding(Problem.REMOVED, head["chain"], head["sequence"]))


def _check_unsealed(session: Session, tables: Tables, keys: digests.Keys, report: Report) -> None:
    entries = tables.entries
    statement = select(entries).where(entries.c.sequence.is_(None))
    for entry in _pages(session, statement, entries.c.id):
        report.unsealed += 1
        report.oldest_unsealed = min(report.oldest_unsealed or entry["at"], entry["at"])
        if not constant_time_equal(entry["mac"], digests.mac(keys, entry)):
            report.found(_finding(Problem.CHANGED, entry))


def _check_orphans(session: Session, tables: Tables, report: Report) -> None:
    entries, details = tables.entries, tables.details
    statement = (
        select(details.c.entry_id, details.c.at)
        .outerjoin(entries, entries.c.id == details.c.entry_id)
        .where(entries.c.personal_digest.is_(None))
        .limit(_MOST_PROBLEMS)
    )
    for row in session.execute(statement):
        report.found(Finding(Problem.PERSONAL_INSERTED, entry_id=row.entry_id, at=row.at))


def _finding(problem: Problem, entry: Mapping[str, Any]) -> Finding:
    return Finding(problem, entry["chain"], entry["sequence"], entry_id=entry["id"], at=entry["at"])


def _pages(
    session: Session, statement: Select[Any], *order: Column[Any]
) -> Iterator[Mapping[str, Any]]:
    """All rows in this order, a page at a time: a ledger is larger than memory."""
    key = tuple_(*order)
    last: tuple[Any, ...] | None = None
    while True:
        page = statement.order_by(*order).limit(_PAGE)
        if last is not None:
            page = page.where(key > tuple_(*last))
        rows = session.execute(page).mappings().all()
        yield from map(dict, rows)
        if len(rows) < _PAGE:
            return
        last = tuple(rows[-1][column.name] for column in order)
