"""The history of signing in, as the ledger has it, in the words of the page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from idp.clients import service as clients
from idp.events import IdpEvent
from idp.protocol import acr
from idp.sessions.service import SignedIn
from kernel.ledger import Row
from tenants.audit import ledger, person_chain
from tenants.database import db


class Subject(StrEnum):
    """What a page of the history is about."""

    SIGN_INS = "sign-ins"
    CHANGES = "changes"

    @classmethod
    def of(cls, text: str | None) -> Self:
        """The subject that an address names; of any other, sign-ins."""
        return cls(text) if text in set(cls) else cls("sign-ins")


SIGN_INS = (
    IdpEvent.SIGN_IN_SUCCEEDED,
    IdpEvent.SIGN_IN_STEPPED_UP,
    IdpEvent.SIGN_IN_PASSWORD_THROTTLED,
    IdpEvent.SIGN_IN_PASSWORD_LOCKED,
    IdpEvent.SIGN_IN_CODE_THROTTLED,
    IdpEvent.SIGN_IN_CODE_EXHAUSTED,
    IdpEvent.PASSKEY_COUNTER_WENT_BACK,
)
CHANGES = (
    IdpEvent.PERSON_REGISTERED,
    IdpEvent.PERSON_IMPORTED,
    IdpEvent.PASSWORD_CHANGED,
    IdpEvent.PASSWORD_RESET,
    IdpEvent.ACCESS_GIVEN,
    IdpEvent.ACCESS_USED,
    IdpEvent.AUTHENTICATOR_ADDED,
    IdpEvent.AUTHENTICATOR_REMOVED,
    IdpEvent.PASSKEY_ADDED,
    IdpEvent.PASSKEY_REMOVED,
    IdpEvent.PASSKEY_RENAMED,
    IdpEvent.RECOVERY_CODES_MADE,
    IdpEvent.RECOVERY_CODES_VOIDED,
    IdpEvent.RECOVERY_CODE_USED,
    IdpEvent.LOST_FACTORS_ASKED,
    IdpEvent.LOST_FACTORS_APPROVED,
    IdpEvent.LOST_FACTORS_REFUSED,
    IdpEvent.LOST_FACTORS_STOPPED,
    IdpEvent.LOST_FACTORS_REMOVED,
    IdpEvent.DEVICE_FORGOTTEN,
    IdpEvent.SESSIONS_ENDED,
    IdpEvent.SIGN_IN_LOCKED,
    IdpEvent.SIGN_IN_UNLOCKED,
    IdpEvent.PERSON_BLOCKED,
    IdpEvent.PERSON_UNBLOCKED,
)
_EVENTS = {Subject.SIGN_INS: SIGN_INS, Subject.CHANGES: CHANGES}

# What proves nothing by itself is not named.
_MEANS = (
    acr.PASSWORD,
    acr.HARDWARE_KEY,
    acr.SOFTWARE_KEY,
    acr.ONE_TIME_CODE,
    acr.MAILED_CODE,
    acr.RECOVERY_CODE,
    acr.REMEMBERED_DEVICE,
)


@dataclass(frozen=True)
class Entry:
    """A line of the history."""

    id: UUID
    at: datetime
    event: str
    succeeded: bool
    user_agent: str
    address: str | None
    means: tuple[str, ...]
    """How the person proved who they are, in the words of `amr`."""
    is_new_device: bool
    application: str | None


@dataclass(frozen=True)
class History:
    """A page of the history."""

    entries: list[Entry]
    next_before: UUID | None
    """Where the next page begins, or None on the last one."""


def of(me: SignedIn, subject: Subject, *, limit: int, before: UUID | None = None) -> History:
    """The newest entries, or those before one of them; two statements, however many there are."""
    with db.reading() as session:
        rows = ledger.history(
            session,
            chain=person_chain(me.person_id),
            events=_EVENTS[subject],
            before=before,
            limit=limit + 1,
        )
        names = clients.names_of(session, _applications(rows))
    shown = rows[:limit]
    entries = [_entry(row, names) for row in shown]
    return History(entries, shown[-1].id if len(rows) > limit else None)


def _applications(rows: Iterable[Row]) -> set[str]:
    return {row.details["application"] for row in rows if row.details.get("application")}


def _entry(row: Row, names: dict[str, str]) -> Entry:
    amr = row.details.get("amr") or ()
    return Entry(
        id=row.id,
        at=row.at,
        event=row.event,
        succeeded=row.result == "success",
        user_agent=row.personal.get("user_agent") or "",
        address=row.personal.get("address"),
        means=tuple(means for means in _MEANS if means in amr),
        is_new_device=bool(row.details.get("new_device")),
        application=names.get(row.details.get("application") or ""),
    )
