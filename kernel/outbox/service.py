"""Putting a message into the outbox, in the transaction that causes it."""

import json
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from flask import Flask, current_app
from sqlalchemy import Table, func, literal_column, select
from sqlalchemy.orm import Session

from kernel.crypto import Vault
from kernel.database import HotStatement, Writes, after_commit, dialect_of
from kernel.ids import new_id
from kernel.outbox import queue
from kernel.outbox.lanes import Lane
from kernel.outbox.models import OutboxMessageMixin, State
from kernel.resealing import SealedColumn
from kernel.settings import Settings

CHANNEL = "klucznik_outbox"
_BELL = "klucznik.outbox.bell"
_VAULT = "klucznik.outbox.vault"
_RUNG = "klucznik.outbox.rung"


_NOTIFY = HotStatement(
    select(func.pg_notify(literal_column(f"'{CHANNEL}'"), literal_column("''")).label("told"))
)
# What a new message has; the rest of its columns stay empty.
_NEW = (
    "id",
    "lane",
    "kind",
    "destination",
    "payload",
    "state",
    "attempts",
    "created_at",
    "due_at",
    "expires_at",
)


@dataclass(frozen=True)
class DeadMessage:
    """A message that was given up, as an operator sees it."""

    id: UUID
    lane: str
    kind: str
    destination: str
    attempts: int
    created_at: datetime
    finished_at: datetime
    expires_at: datetime | None
    last_error: str | None


class Outbox:
    """A program's messages to the outside."""

    def __init__(self, model: type[OutboxMessageMixin]) -> None:
        self.model = model
        self.table = cast(Table, getattr(model, "__table__"))  # noqa: B009 (a mixin has none)
        self._new_message = HotStatement.insert_into(self.table, *_NEW)

    def put(
        self,
        transaction: Writes,
        *,
        lane: Lane,
        kind: str,
        destination: str,
        payload: Mapping[str, Any],
        now: datetime,
        expires_at: datetime | None = None,
    ) -> UUID:
        """Write a message that leaves once this transaction is committed. Gives its id.

        `kind` chooses the worker's handler; `destination` is the queue it stands in: messages to
        one destination never wait for another's. The payload is JSON, kept encrypted.
        """
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        message_id = new_id()
        self._new_message.rows(
            transaction,
            id=message_id,
            lane=lane,
            kind=kind,
            destination=destination[:255],
            payload=seal(vault_of(app), message_id, payload),
            state=State.WAITING,
            attempts=0,
            created_at=now,
            due_at=now,
            expires_at=expires_at,
        )
        _ring_after_commit(transaction, app)
        return message_id

    def dead(self, session: Session, *, limit: int = 100) -> list[DeadMessage]:
        """Messages that were given up, the newest first. What they said is not shown."""
        table = self.table
        columns = [table.c[name] for name in DeadMessage.__dataclass_fields__]
        rows = session.execute(
            select(*columns)
            .where(table.c.state == State.DEAD)
            .order_by(table.c.finished_at.desc())
            .limit(limit)
        )
        return [DeadMessage(**row) for row in rows.mappings()]

    def sealed(self) -> SealedColumn:
        """The payloads that are still here, for `kernel.resealing`."""
        return SealedColumn(
            what="messages",
            column=self.table.c.payload,
            key=self.table.c.id,
            context=lambda row: _context(row.key),
        )

    def hasten(self, session: Session, *, lane: Lane, destination: str, now: datetime) -> int:
        """The destination is known to be well again: its messages wait no longer. Says how many."""
        count = queue.hasten(session, self.table, lane, destination, now=now)
        if count:
            _ring_after_commit(session, current_app._get_current_object())  # type: ignore[attr-defined]
        return count

    def retry_dead(self, session: Session, ids: Collection[UUID], *, now: datetime) -> int:
        """Send dead messages again, by the same ids; says how many there were."""
        count = queue.retry_dead(session, self.table, ids, now=now)
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        _ring_after_commit(session, app)
        return count


def bell_of(app: Flask) -> threading.Event:
    """What wakes the worker of this process."""
    bell: threading.Event = app.extensions.setdefault(_BELL, threading.Event())
    return bell


def vault_of(app: Flask) -> Vault:
    """The application's vault, made once: reading its keys costs more than using them."""
    vault: Vault | None = app.extensions.get(_VAULT)
    if vault is None:
        settings: Settings = app.extensions["klucznik.settings"]
        vault = app.extensions[_VAULT] = settings.vault()
    return vault


def seal(vault: Vault, message_id: UUID, payload: Mapping[str, Any]) -> bytes:
    """Encrypt a payload for one row: copied to another row it does not open."""
    plain = json.dumps(payload, separators=(",", ":")).encode()
    return vault.seal(plain, context=_context(message_id))


def unseal(vault: Vault, message_id: UUID, sealed: bytes) -> dict[str, Any]:
    """Read a payload back; raises CannotOpen."""
    payload: dict[str, Any] = json.loads(vault.open(sealed, context=_context(message_id)))
    return payload


def _context(message_id: UUID) -> str:
    return f"outbox:{message_id}"


def _ring_after_commit(transaction: Writes, app: Flask) -> None:
    if transaction.info.get(_RUNG):
        return
    transaction.info[_RUNG] = True
    after_commit(transaction, bell_of(app).set)
    if dialect_of(transaction) == "postgresql":
        # Workers in other processes hear of it at the commit, and not without one.
        _NOTIFY.rows(transaction)
