"""Locking an ID: by its owner, from the link of a notice, or by the operator."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.credentials import lost_factors, mailed_link, passkeys, recovery_codes, totp
from idp.credentials.email_code import Purpose
from idp.credentials.lost_factors import Outcome
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.logout import end_sessions
from idp.mailbox import service as mailbox
from idp.mails import service as mails
from idp.mails.service import Recipient
from idp.not_me import links, locks
from idp.not_me.links import Added, Factor
from idp.not_me.locks import Reason
from idp.sessions import devices
from idp.sessions.browser import Browser
from kernel.errors import Refused
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people import service as people
from tenants.people.service import PersonSummary

_OPERATOR = "operator"


class LinkSpent(Refused):
    """The link is old or was used."""

    reason = "link_spent"


@dataclass(frozen=True)
class Question:
    """What the page asks about before anything is done."""

    email: str
    notice: str
    sent_at: datetime
    added: Factor | None
    zoneinfo: str | None


@dataclass(frozen=True)
class Shut:
    """What was ended when an ID was locked."""

    sessions: int
    devices: int


def ask(token: str, *, now: datetime) -> Question:
    """What a link is about. Looking changes nothing; raises LinkSpent."""
    with db.reading() as session:
        link = links.find(session, token=token, now=now)
        person = people.find(session, link.person_id) if link is not None else None
    if link is None or person is None or not person.is_active:
        raise LinkSpent("used, old, or nobody's")
    added = link.added.kind if link.added is not None else None
    return Question(person.email, link.notice, link.sent_at, added, person.zoneinfo)


def refuse(token: str, *, browser: Browser, return_to: str, now: datetime) -> UUID:
    """Lock the ID, and return the flow in which its password may be set; raises LinkSpent.

    The link came from the mailbox, so it proves it as the link of a reset does. The second factor
    is asked for afterwards, but for one that this notice said was added: that one goes.
    """
    with db.transaction() as session:
        link = links.redeem(session, token=token, now=now)
        person = people.find(session, link.person_id) if link is not None else None
        if link is None or person is None or not person.is_active:
            raise LinkSpent("used, old, or nobody's")
        shut(session, person, reason=Reason.NOT_ME, browser=browser, notice=link.notice, now=now)
        if link.added is not None:
            _take_away(session, person, link.added, link.sent_at, browser, now)
        mails.send(
            session,
            "not_me/locked",
            to=Recipient.of(person, otherwise=browser.language),
            person_id=person.id,
            context={"address": browser.where.address, "user_agent": browser.where.user_agent},
            now=now,
        )
        return mailbox.begin_proved(
            session,
            email=person.email,
            purpose=Purpose.RESET,
            browser=browser,
            return_to=return_to,
            now=now,
        )


def shut(
    session: Session,
    person: PersonSummary,
    *,
    reason: Reason,
    now: datetime,
    browser: Browser | None = None,
    notice: str | None = None,
) -> Shut:
    """Lock an ID and end all that was begun with it, in the caller's transaction.

    Whoever is signing in at this moment is waited for and ended, or finds the lock.
    """
    flows.prove_nothing(session, person_id=person.id, now=now)
    mailed_link.void_all(session, email_key=person.email_key, now=now)
    lost_factors.end(session, person_id=person.id, outcome=Outcome.LOCKED, now=now)
    forgotten = devices.forget(session, person_id=person.id, now=now)
    people.hold(session, person.id)
    locks.lock(session, person_id=person.id, reason=reason, now=now)
    # Again, for whoever was signing in was waited for.
    forgotten += devices.forget(session, person_id=person.id, now=now)
    ended = end_sessions(session, person_id=person.id, reason=f"locked:{reason}", now=now)
    ledger.append(
        session,
        chain=person_chain(person.id),
        event=IdpEvent.SIGN_IN_LOCKED,
        actor=str(person.id) if browser is not None else _OPERATOR,
        subject=str(person.id),
        result="success",
        at=now,
        details={
            "reason": reason,
            "notice": notice,
            "sessions_ended": len(ended),
            "devices_forgotten": forgotten,
        },
        personal=browser.personal if browser is not None else None,
        request_id=browser.request_id if browser is not None else None,
    )
    return Shut(len(ended), forgotten)


def open_again(session: Session, person: PersonSummary, *, now: datetime) -> bool:
    """Let people in again without a new password, as the operator decided; False when open."""
    if not locks.unlock(session, person_id=person.id):
        return False
    ledger.append(
        session,
        chain=person_chain(person.id),
        event=IdpEvent.SIGN_IN_UNLOCKED,
        actor=_OPERATOR,
        subject=str(person.id),
        result="success",
        at=now,
        details={"reason": Reason.OPERATOR},
    )
    return True


def _take_away(
    session: Session,
    person: PersonSummary,
    added: Added,
    since: datetime,
    browser: Browser,
    now: datetime,
) -> None:
    """Remove what was added, and every recovery code that came with it or later."""
    match added.kind:
        case Factor.AUTHENTICATOR:
            event = IdpEvent.AUTHENTICATOR_REMOVED
            is_gone = totp.remove(session, person_id=person.id, totp_id=added.id)
        case Factor.PASSKEY:
            event = IdpEvent.PASSKEY_REMOVED
            is_gone = passkeys.remove(session, added.id, person_id=person.id)
        case Factor.RECOVERY_CODES:
            event = IdpEvent.RECOVERY_CODES_VOIDED
            is_gone = recovery_codes.remaining(session, person_id=person.id) > 0
    recovery_codes.void(session, person_id=person.id, since=since)
    if not totp.is_enrolled(session, person_id=person.id) and not passkeys.is_enrolled(
        session, person_id=person.id
    ):
        recovery_codes.void(session, person_id=person.id)
    if is_gone:
        ledger.append(
            session,
            chain=person_chain(person.id),
            event=event,
            actor=str(person.id),
            subject=str(person.id),
            result="success",
            at=now,
            details={"reason": Reason.NOT_ME, "factor": str(added.id)},
            personal=browser.personal,
            request_id=browser.request_id,
        )
