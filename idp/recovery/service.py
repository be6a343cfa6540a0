"""The last step of a reset: the mailbox is proved, and a new password takes the old one's place."""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.credentials import email_code, mailed_link, password
from idp.credentials.email_code import Purpose
from idp.credentials.hashing import hashing
from idp.credentials.new_password import why_refuse_to
from idp.credentials.password import Problem
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.flows.service import AnyFlow
from idp.logout import end_sessions
from idp.mailbox import service as mailbox
from idp.mails.service import Recipient
from idp.not_me import locks
from idp.notices import service as notices
from idp.sessions import devices
from idp.sessions.browser import Browser
from idp.sign_in import throttle
from kernel.errors import Refused
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.facts import service as facts
from tenants.facts.service import Kind
from tenants.people import service as people
from tenants.people.service import PersonSummary


class MailboxNotProved(Refused):
    """The steps before are missing, or were used up."""

    reason = "out_of_order"


def proved_email(flow_id: str | None, *, browser: Browser, now: datetime) -> str:
    """The address whose password may be set in this flow; raises MailboxNotProved, FlowExpired."""
    with db.reading() as session:
        return _proved(session, flows.load(session, flow_id, browser.id_hash, now)).email


def finish(
    flow_id: str | None, new_password: str, *, browser: Browser, now: datetime
) -> Problem | None:
    """Set the password and end every session; None when it is done.

    The proof is used up: it sets one password. Raises MailboxNotProved, FlowExpired.
    """
    with db.reading() as session:
        person = _proved(session, flows.load(session, flow_id, browser.id_hash, now))
    problem = why_refuse_to(person, new_password)
    if problem is not None:
        return problem
    hash_ = hashing().hash(password.normalised(new_password))
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        person = _proved(session, flow)
        proved_at = min(_moments_of_proof(session, flow))
        # For the sign-in that follows, the mailbox stays proved; for another reset it isn't.
        flow.mailbox_proven_for = None
        flow.email = person.email
        # What was proved with the old password.
        flow.person_id = flow.first_factor_at = flow.first_factor_amr = None
        flow.new_password_of = flow.new_password_asked_at = None
        _replace(session, person, hash_, proved_at, browser, now)
    return None


def _replace(
    session: Session,
    person: PersonSummary,
    hash_: str,
    proved_at: datetime,
    browser: Browser,
    now: datetime,
) -> None:
    password.store(session, person_id=person.id, hash_=hash_, now=now)
    device = devices.find(session, person_id=person.id, secret=browser.device_secret)
    device_id = device.id if device is not None else None
    throttle.forget_passwords(session, email_key=person.email_key, device_id=device_id)
    throttle.reopen_codes(session, person_id=person.id, device_id=device_id)
    # Locked at this very moment: the mailbox has to answer once more.
    was_locked = locks.unlock(session, person_id=person.id, locked_until=proved_at)
    mailed_link.void_all(session, email_key=person.email_key, now=now)
    devices.forget(session, person_id=person.id, now=now)
    end_sessions(session, person_id=person.id, reason="password-reset", now=now)
    ledger.append(
        session,
        chain=person_chain(person.id),
        event=IdpEvent.PASSWORD_RESET,
        actor=str(person.id),
        subject=str(person.id),
        result="success",
        at=now,
        details={"unlocked": was_locked},
        personal=browser.personal,
        request_id=browser.request_id,
    )
    facts.note(session, Kind.PERSON_CAME, account=None, person_id=person.id, now=now)
    notices.tell(
        session,
        "password_changed",
        person_id=person.id,
        to=Recipient.of(person, otherwise=browser.language),
        browser=browser,
        now=now,
    )


def _proved(session: Session, flow: AnyFlow) -> PersonSummary:
    if not mailbox.is_proved(flow, Purpose.RESET) or flow.mailbox_email is None:
        raise MailboxNotProved("no proof for a reset in this flow")
    person = people.find_by_email(session, flow.mailbox_email)
    if person is None or not person.is_active:
        raise MailboxNotProved("nobody to set a password for")
    proved_at = min(_moments_of_proof(session, flow), default=None)
    # Whoever changes the password, or locks the ID, also wants every mail that is still under way
    # to be void.
    for changed_at in (
        password.changed_at(session, person_id=person.id),
        locks.locked_at(session, person_id=person.id),
    ):
        if changed_at is not None and proved_at is not None and proved_at < changed_at:
            raise MailboxNotProved("the password was changed, or the ID locked, since")
    return person


def _moments_of_proof(session: Session, flow: AnyFlow) -> list[datetime]:
    """When the mailbox answered, and when what it answered with was sent."""
    sent_at = email_code.last_sent_at(session, flow_id=flow.id, purpose=Purpose.RESET)
    return [moment for moment in (flow.mailbox_proven_at, sent_at) if moment is not None]
