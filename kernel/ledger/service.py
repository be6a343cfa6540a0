"""Writing what happened, reading it back, and erasing whom it names."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, or_, select, tuple_, update
from sqlalchemy.orm import Session

from kernel import program
from kernel.database import Database, HotStatement, Writes
from kernel.ids import new_id
from kernel.ledger import digests, sealing, verification
from kernel.ledger.models import LABEL, LedgerDetailMixin, LedgerEntryMixin, LedgerHeadMixin
from kernel.pages import Order, Page, PageRequest, read
from kernel.settings import Settings

INSTALLATION = "installation"
ERASED = "ledger:personal:erased"
_LONGEST_VALUE = 500
_LONGEST_LIST = 100
_DEEPEST = 4

Result = Literal["success", "failure"]


@dataclass(frozen=True)
class Wanted:
    """Which events of a chain somebody wants to read; without anything said: all of them."""

    event: str | None = None
    """An event (`company:archived`), or what it begins with (`company`)."""
    actor: str | None = None
    subject: str | None = None
    since: datetime | None = None
    before: datetime | None = None

    def words(self) -> tuple[str, ...]:
        """The same in words that tell it from any other."""
        values = (self.event, self.actor, self.subject, self.since, self.before)
        return tuple("" if value is None else str(value) for value in values)


@dataclass(frozen=True)
class Row:
    """One event, as a page shows it. `personal` is empty once it was erased."""

    id: UUID
    chain: str
    at: datetime
    event: str
    result: str
    actor: str | None
    real_actor: str | None
    account: str | None
    subject: str | None
    session: str | None
    request: str | None
    details: dict[str, Any]
    personal: dict[str, Any]


class Ledger:
    """A program's ledger, over its three tables."""

    def __init__(
        self,
        *,
        entry: type[LedgerEntryMixin],
        detail: type[LedgerDetailMixin],
        head: type[LedgerHeadMixin],
    ) -> None:
        self.tables = sealing.Tables(
            entries=_table(entry), details=_table(detail), heads=_table(head)
        )
        self._sealer = sealing.Sealer(self.tables)
        self._new_entry = HotStatement.insert_into(self.tables.entries, *digests.CONTENT, "mac")
        self._new_detail = HotStatement.insert_into(
            self.tables.details, "entry_id", "about", "at", "salt", "fields"
        )

    def append(
        self,
        transaction: Writes,
        *,
        chain: str,
        event: StrEnum,
        actor: str | None,
        subject: str | None,
        result: Result,
        at: datetime,
        details: Mapping[str, Any] | None = None,
        personal: Mapping[str, Any] | None = None,
        about: str | None = None,
        real_actor: str | None = None,
        account: str | None = None,
        session_id: str | None = None,
        request_id: str | None = None,
    ) -> UUID:
        """Write one event in the transaction of the change. Gives the row's id.

        `chain` is `person:<id>`, `account:<id>` or `INSTALLATION`. Everything but `personal` stays
        for good and must be pseudonyms. `personal` (address, user agent, what was typed) can be
        erased; it is `about` the actor unless said otherwise, else about the subject.
        """
        entry: dict[str, Any] = {
            "id": new_id(),
            "chain": _label(chain),
            "at": at,
            "event": str(event),
            "result": result,
            "actor": _label(actor),
            "real_actor": _label(real_actor),
            "account": _label(account),
            "subject": _label(subject),
            "session": _label(session_id),
            "request": _label(request_id),
            "details": digests.canonical(_bounded(details or {})),
            "about": None,
            "personal_digest": None,
        }
        if personal:
            entry["about"] = _label(about or actor or subject)
            entry["personal_digest"] = self._write_personal(transaction, entry, personal)
        entry["mac"] = digests.mac(_keys(), entry)
        self._new_entry.rows(transaction, **entry)
        return cast(UUID, entry["id"])

    def _write_personal(
        self, transaction: Writes, entry: Mapping[str, Any], personal: Mapping[str, Any]
    ) -> bytes:
        salt, fields = digests.new_salt(), digests.canonical(_bounded(personal))
        self._new_detail.rows(
            transaction,
            entry_id=entry["id"],
            about=entry["about"],
            at=entry["at"],
            salt=salt,
            fields=fields,
        )
        return digests.personal_digest(salt, fields)

    def history(
        self,
        session: Session,
        *,
        chain: str,
        limit: int = 50,
        before: UUID | None = None,
        events: Collection[str] | None = None,
    ) -> list[Row]:
        """The newest events of a chain; `before` is the id of the last one of the page above.

        With `events`, of these kinds alone.
        """
        entries, details = self.tables.entries, self.tables.details
        order = tuple_(entries.c.at, entries.c.id)
        statement = (
            select(entries, details.c.fields)
            .outerjoin(details, details.c.entry_id == entries.c.id)
            .where(entries.c.chain == chain)
            .order_by(entries.c.at.desc(), entries.c.id.desc())
            .limit(limit)
        )
        if events is not None:
            statement = statement.where(entries.c.event.in_([str(event) for event in events]))
        if before is not None:
            last = session.execute(
                select(entries.c.at, entries.c.id).where(
                    entries.c.id == before, entries.c.chain == chain
                )
            ).one_or_none()
            if last is None:
                return []
            statement = statement.where(order < tuple_(*last))
        return [_row(found) for found in session.execute(statement).mappings()]

    def page(
        self, session: Session, *, chain: str, wanted: Wanted, asked: PageRequest
    ) -> Page[Row]:
        """A page of a chain, the newest first; raises CursorUnusable."""
        entries, details = self.tables.entries, self.tables.details
        statement = (
            select(*(entries.c[name] for name in _COPIED), entries.c.details, details.c.fields)
            .outerjoin(details, details.c.entry_id == entries.c.id)
            .where(entries.c.chain == chain, *_conditions(entries, wanted))
        )
        return read(
            session,
            statement,
            _row_of,
            order=Order("at", (entries.c.at, entries.c.id), descending=True),
            asked=asked,
            bound_to=("ledger", chain, *wanted.words()),
        )

    def erase_personal(self, session: Session, *, about: str, by: str | None, at: datetime) -> int:
        """Erase the personal fields about someone, and put on record that it was done.

        The entries stay, and the chains hold. Says how many rows lost their fields.
        """
        return self._erase(session, self.tables.details.c.about == _label(about), by, at, about, {})

    def erase_personal_before(
        self, session: Session, *, before: datetime, by: str | None, at: datetime
    ) -> int:
        """Erase all personal fields older than their time, and put on record that it was done."""
        details = {"before": before}
        return self._erase(session, self.tables.details.c.at < before, by, at, None, details)

    def _erase(
        self,
        session: Session,
        which: Any,
        by: str | None,
        at: datetime,
        about: str | None,
        details: dict[str, Any],
    ) -> int:
        table = self.tables.details
        erased = session.execute(
            update(table)
            .where(which, table.c.erased_at.is_(None))
            .values(salt=None, fields=None, erased_at=at)
        )
        count = cast(int, getattr(erased, "rowcount"))  # noqa: B009 (untyped in SQLAlchemy)
        if count:
            self.append(
                session,
                chain=INSTALLATION,
                event=_Event.ERASED,
                actor=by,
                subject=about,
                result="success",
                at=at,
                details={**details, "rows": count},
            )
        return count

    def seal(self, db: Database, *, now: datetime) -> int:
        """Number, link and sign what was written since the last time; says how many rows.

        Called by the worker several times a second; needs an application context.
        """
        return self._sealer.seal(db, _keys(), now=now)

    def verify(self, db: Database, *, known_head: str | None = None) -> verification.Report:
        """Check every row, and say where one was changed, removed, inserted or moved.

        `known_head` is what `newest_head` said some day and was kept outside of the database: with
        it a ledger is found out that was put back as a whole to an earlier state.
        """
        return verification.verify(db, self.tables, _keys(), ERASED, known_head=known_head)

    def newest_head(self, db: Database) -> str | None:
        """Number, digest and signature of the newest signed head, in one word to keep elsewhere."""
        return sealing.newest_head(db, self.tables)

    def public_key(self) -> bytes:
        """The raw Ed25519 key that the signatures of heads are checked with."""
        return _keys().public.public_bytes_raw()


class _Event(StrEnum):
    """What the ledger tells of itself."""

    ERASED = ERASED


def _table(model: type) -> Table:
    return cast(Table, getattr(model, "__table__"))  # noqa: B009 (a mixin has none)


def _keys() -> digests.Keys:
    settings: Settings = program.extensions()["klucznik.settings"]
    return digests.keys_from(settings.ledger_secret())


def _label(text: str | None) -> str | None:
    """A name in plain ASCII and of bounded length, whatever a caller passes through."""
    if text is None:
        return None
    return text.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")[:LABEL]


def _bounded(value: Any, depth: int = 0) -> Any:
    """The value with everything endless cut: a row must not grow as somebody outside likes."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, str):
        return value[:_LONGEST_VALUE]
    if isinstance(value, Mapping):
        pairs = list(value.items())[:_LONGEST_LIST]
        return {str(name)[:LABEL]: _bounded(item, depth + 1) for name, item in pairs}
    if isinstance(value, list | tuple | set | frozenset):
        return [_bounded(item, depth + 1) for item in list(value)[:_LONGEST_LIST]]
    return value


def _conditions(entries: Table, wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.event is not None:
        begins = entries.c.event.startswith(f"{wanted.event}:", autoescape=True)
        found.append(or_(entries.c.event == wanted.event, begins))
    if wanted.actor is not None:
        found.append(entries.c.actor == wanted.actor)
    if wanted.subject is not None:
        found.append(entries.c.subject == wanted.subject)
    if wanted.since is not None:
        found.append(entries.c.at >= wanted.since)
    if wanted.before is not None:
        found.append(entries.c.at < wanted.before)
    return found


def _row_of(*values: Any) -> Row:
    return _row(dict(zip((*_COPIED, "details", "fields"), values, strict=True)))


def _row(found: Any) -> Row:
    return Row(
        **{name: found[name] for name in _COPIED},
        details=sealing.read(found["details"]),
        personal=sealing.read(found["fields"] or "{}"),
    )


_COPIED = (
    "id",
    "chain",
    "at",
    "event",
    "result",
    "actor",
    "real_actor",
    "account",
    "subject",
    "session",
    "request",
)
