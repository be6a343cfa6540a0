"""Blocking an ID, with all that was begun with it; and letting it be used again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.credentials import lost_factors, mailed_link
from idp.credentials.lost_factors import Outcome
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.logout import end_sessions
from idp.mails import service as mails
from idp.mails.service import Recipient
from idp.settings import current_settings
from tenants.audit import ledger, person_chain
from tenants.blocking import service as blocking
from tenants.database import db
from tenants.people import service as people
from tenants.people.service import PersonSummary

_OPERATOR = "operator"


@dataclass(frozen=True)
class Blocked:
    """What came of it: whether it was news, how many sessions ended, and the accounts without an admin."""

    is_news: bool
    sessions_ended: int = 0
    accounts_flagged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unblocked:
    """What came of it, and the accounts that have an admin again."""

    is_news: bool
    accounts_unflagged: tuple[str, ...] = ()


def block(person: PersonSummary, *, reason: str, now: datetime, silently: bool = False) -> Blocked:
    """Nobody uses this ID until it is unblocked. Everything open ends; applications are told.

    `reason` is for the audit trail; the mail names none.
    """
    with db.transaction(everywhere=True) as session:
        turned = blocking.block(session, person.id, actor=_OPERATOR, now=now)
        if not turned.is_news:
            return Blocked(is_news=False)
        flows.prove_nothing(session, person_id=person.id, now=now)
        mailed_link.void_all(session, email_key=person.email_key, now=now)
        lost_factors.end(session, person_id=person.id, outcome=Outcome.LOCKED, now=now)
        ended = end_sessions(session, person_id=person.id, reason="blocked", now=now)
        details = {"reason": reason, "sessions_ended": len(ended), "accounts": turned.accounts}
        _record(session, IdpEvent.PERSON_BLOCKED, person.id, details, now)
        if not silently:
            _tell(session, "blocking/blocked", person, now)
    return Blocked(True, len(ended), turned.accounts)


def unblock(
    person: PersonSummary, *, reason: str, now: datetime, silently: bool = False
) -> Unblocked:
    """The ID works again with everything that it had; nobody is signed in by that."""
    with db.transaction(everywhere=True) as session:
        turned = blocking.unblock(session, person.id, now=now)
        if not turned.is_news:
            return Unblocked(is_news=False)
        # A sign-in that began in the same moment as the block may have left a session behind.
        end_sessions(session, person_id=person.id, reason="unblocked", now=now)
        details = {"reason": reason, "accounts": turned.accounts}
        _record(session, IdpEvent.PERSON_UNBLOCKED, person.id, details, now)
        if not silently:
            _tell(session, "blocking/unblocked", person, now)
    return Unblocked(True, turned.accounts)


def _record(
    session: Session, event: IdpEvent, person_id: UUID, details: Mapping[str, object], now: datetime
) -> None:
    ledger.append(
        session,
        chain=person_chain(person_id),
        event=event,
        actor=_OPERATOR,
        subject=str(person_id),
        result="success",
        at=now,
        details=details,
    )


def _tell(session: Session, letter: str, person: PersonSummary, now: datetime) -> None:
    found = people.find(session, person.id)
    mails.send(
        session,
        letter,
        to=Recipient.of(found or person, otherwise=current_settings().default_locale),
        person_id=person.id,
        context={"support": current_settings().support_contact.strip()},
        now=now,
    )
