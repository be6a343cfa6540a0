"""Events for the tests of the ledger, and the ledger as somebody with SQL finds it."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import text

from tests.kernel.tables import db, ledger

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


class Event(StrEnum):
    SIGNED_IN = "person:sign-in:success"
    CHANGED = "person:password:changed"


def write(count: int = 1, *, chain: str = "person:anna", **fields: Any) -> None:
    """Append events to a chain, a second apart."""
    with db.transaction() as session:
        for number in range(count):
            ledger.append(
                session,
                **{
                    "chain": chain,
                    "event": Event.SIGNED_IN,
                    "actor": "anna",
                    "subject": "anna",
                    "result": "success",
                    "at": NOON + timedelta(seconds=number),
                    "details": {"number": number},
                    "personal": {"address": f"192.0.2.{number}"},
                    **fields,
                },
            )


def write_and_seal(count: int = 1, *, sealed_at: datetime = NOON, **fields: Any) -> None:
    write(count, **fields)
    ledger.seal(db, now=sealed_at)


def tamper(statement: str, **values: Any) -> None:
    """Change the database behind the ledger's back."""
    with db.transaction() as session:
        session.execute(text(statement), values)


def problems() -> list[tuple[str, str | None, int | None]]:
    """What `verify` finds: problem, chain and number."""
    return [
        (found.problem.name, found.chain, found.sequence) for found in ledger.verify(db).findings
    ]
