"""Messages for the tests of the outbox, and what became of them."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from kernel.outbox import Lane
from tests.kernel.tables import OutboxMessage, db, outbox

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def put(number: int = 1, **fields: Any) -> UUID:
    """Write one message, to be delivered at once."""
    with db.transaction() as session:
        return outbox.put(
            session,
            **{
                "lane": Lane.WEBHOOK,
                "kind": "note",
                "destination": "a.example",
                "payload": {"number": number},
                "now": NOON,
                **fields,
            },
        )


def message(message_id: UUID) -> OutboxMessage:
    with db.reading() as session:
        return session.scalars(select(OutboxMessage).where(OutboxMessage.id == message_id)).one()


def wait_until(true: Callable[[], bool], *, seconds: float = 30.0) -> float:
    """Wait for another thread, and say how long it took."""
    started = time.monotonic()
    while not true():
        if time.monotonic() - started > seconds:
            raise AssertionError("it did not happen in time")
        time.sleep(0.005)
    return time.monotonic() - started
