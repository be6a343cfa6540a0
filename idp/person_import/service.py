"""Making the people of a file, a batch at a time.

An address that has an ID already is left alone, whatever the row says: so a run that was broken off
is simply started again. A batch is one transaction, with its rows in the audit trail.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import islice
from uuid import UUID

from sqlalchemy.orm import Session

from idp.access import service as access
from idp.access.service import How
from idp.credentials import password
from idp.credentials.password import ImportedHash
from idp.events import IdpEvent
from idp.person_import.files import Row
from idp.person_import.rows import Candidate, RowRefused, understand
from kernel.crypto import hash_token
from kernel.ledger import INSTALLATION
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people import service as people

BATCH = 500
_NO_PASSWORD = "none"  # noqa: S105


class Outcome(StrEnum):
    """What became of a row."""

    CREATED = "created"
    SKIPPED = "skipped"
    REFUSED = "refused"


@dataclass(frozen=True)
class Result:
    """One row of the report."""

    line: int
    email: str
    outcome: Outcome
    reason: str = ""


@dataclass
class Summary:
    """What came of a file."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def refused(self) -> int:
        return self.outcomes[Outcome.REFUSED]


@dataclass(frozen=True)
class _Read:
    """A row that was understood."""

    line: int
    candidate: Candidate

    @property
    def key(self) -> str:
        return self.candidate.newcomer.address.key

    def result(self, outcome: Outcome, reason: str = "") -> Result:
        email = self.candidate.newcomer.address.display
        return Result(self.line, email, outcome, reason)


def bring_in(
    rows: Iterable[Row],
    *,
    by: str,
    now: Callable[[], datetime],
    tell: Callable[[Result], None],
    dry_run: bool = False,
    how: How | None = None,
) -> Summary:
    """Make everybody whom the rows describe; `tell` hears of every row.

    A dry run does all but write. With `how`, who comes without a password gets access by mail.
    Opens its transactions itself.
    """
    summary = Summary()
    for batch in _batches(_once_each(rows, summary, tell)):
        created = _would_create(batch) if dry_run else _create(batch, by=by, now=now(), how=how)
        for one in batch:
            if one.key in created:
                stored = one.candidate.password
                summary.kinds[stored.kind if stored is not None else _NO_PASSWORD] += 1
                result = one.result(Outcome.CREATED, one.candidate.note)
            else:
                result = one.result(Outcome.SKIPPED, "the address has an ID")
            _note(result, summary, tell)
    if not dry_run:
        _put_on_record(summary, by=by, now=now())
    return summary


def _once_each(
    rows: Iterable[Row], summary: Summary, tell: Callable[[Result], None]
) -> Iterator[_Read]:
    """The rows that can be taken, the first of each address."""
    # Eight bytes of a digest instead of the address: a file may be large.
    seen: dict[bytes, int] = {}
    for row in rows:
        try:
            if row.problem is not None:
                raise RowRefused(row.problem)
            read = _Read(row.line, understand(row.fields))
        except RowRefused as refused:
            email = row.fields.get("email")
            typed = email[:254] if isinstance(email, str) else ""
            _note(Result(row.line, typed, Outcome.REFUSED, refused.detail), summary, tell)
            continue
        first = seen.setdefault(hash_token(read.key)[:8], row.line)
        if first != row.line:
            result = read.result(Outcome.SKIPPED, f"the same address as in line {first}")
            _note(result, summary, tell)
            continue
        yield read


def _batches(read: Iterator[_Read]) -> Iterator[list[_Read]]:
    while batch := list(islice(read, BATCH)):
        yield batch


def _would_create(batch: list[_Read]) -> set[str]:
    keys = {one.key for one in batch}
    with db.reading() as session:
        return keys - people.known_keys(session, keys)


def _create(batch: list[_Read], *, by: str, now: datetime, how: How | None) -> set[str]:
    fresh = {
        one.key: access.prepare(how)
        for one in batch
        if how is not None and one.candidate.password is None
    }
    with db.transaction() as session:
        made = people.create_many(session, [one.candidate.newcomer for one in batch], now=now)
        mine = [one for one in batch if one.key in made]
        password.adopt(session, list(_hashes(mine, made)), now=now)
        for one in mine:
            _record(session, one, made[one.key], by=by, now=now)
            if one.key in fresh:
                access.give(session, person_id=made[one.key], fresh=fresh[one.key], by=by, now=now)
    return set(made)


def _hashes(mine: list[_Read], made: dict[str, UUID]) -> Iterator[ImportedHash]:
    for one in mine:
        stored = one.candidate.password
        if stored is not None:
            yield ImportedHash(made[one.key], stored.hash, stored.milliseconds)


def _record(session: Session, one: _Read, person_id: UUID, *, by: str, now: datetime) -> None:
    stored = one.candidate.password
    ledger.append(
        session,
        chain=person_chain(person_id),
        event=IdpEvent.PERSON_IMPORTED,
        actor=by,
        subject=str(person_id),
        about=str(person_id),
        result="success",
        at=now,
        details={"password": stored.kind if stored is not None else _NO_PASSWORD},
        personal={"email": one.candidate.newcomer.address.display},
    )


def _put_on_record(summary: Summary, *, by: str, now: datetime) -> None:
    with db.transaction() as session:
        ledger.append(
            session,
            chain=INSTALLATION,
            event=IdpEvent.PEOPLE_IMPORTED,
            actor=by,
            subject=None,
            result="success",
            at=now,
            details={
                **{outcome: summary.outcomes[outcome] for outcome in Outcome},
                "passwords": dict(summary.kinds),
            },
        )


def _note(result: Result, summary: Summary, tell: Callable[[Result], None]) -> None:
    summary.outcomes[result.outcome] += 1
    tell(result)
