"""Putting a mail into the outbox, in the transaction that causes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.outbox import Lane
from tenants.outbox import outbox

KIND = "letter"
MAIL_SERVER = "mail-server"


class Reader(Protocol):
    """Somebody with an ID: a person, or who is signed in."""

    @property
    def email(self) -> str: ...

    @property
    def locale(self) -> str | None: ...


@dataclass(frozen=True)
class Recipient:
    """Whom a mail goes to: one mailbox, and the language that is read there."""

    email: str
    language: str

    @classmethod
    def of(cls, reader: Reader, *, otherwise: str) -> Self:
        """The mailbox of an ID, in the language that its owner chose, or else in this one."""
        return cls(reader.email, reader.locale or otherwise)


def send(
    session: Session,
    letter: str,
    *,
    to: Recipient,
    now: datetime,
    person_id: UUID | None = None,
    context: Mapping[str, Any] | None = None,
    expires_at: datetime | None = None,
) -> UUID:
    """Have a mail sent once this transaction is committed. `letter` names its templates.

    With `person_id` its moments are in that person's time zone.
    """
    return outbox.put(
        session,
        lane=Lane.MAIL,
        kind=KIND,
        destination=MAIL_SERVER,
        payload={
            "letter": letter,
            "to": to.email,
            "language": to.language,
            "person": str(person_id) if person_id is not None else None,
            "context": {"at": now.isoformat(), **(context or {})},
        },
        now=now,
        expires_at=expires_at,
    )
