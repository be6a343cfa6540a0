"""The last step of registration: the mailbox is proved, and with a password or a passkey the ID begins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from idp.credentials import (
    ceremonies,
    mailed_link,
    passkeys,
    password,
    recovery_codes,
    temporary_password,
)
from idp.credentials.ceremonies import PasskeyRefused
from idp.credentials.email_code import Purpose
from idp.credentials.hashing import hashing
from idp.credentials.new_password import why_refuse
from idp.credentials.own_access import has_own_access
from idp.credentials.passkeys import Ceremony
from idp.credentials.password import Problem
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.flows.service import AnyFlow, Flow
from idp.logout import end_sessions
from idp.mailbox import service as mailbox
from idp.mails.service import Recipient
from idp.protocol import acr
from idp.sessions import devices
from idp.sessions.browser import Browser
from idp.sign_in.completion import Cookies, complete
from idp.sign_in.passkey import methods_of
from kernel.errors import Refused
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.facts import service as facts
from tenants.facts.service import Kind
from tenants.people import service as people
from tenants.people.service import EmailTaken, PersonSummary


class MailboxNotProved(Refused):
    """The steps before are missing."""

    reason = "out_of_order"


@dataclass(frozen=True)
class Finished:
    """The ID is there, and this is the sheet of recovery codes, shown once."""

    cookies: Cookies
    codes: tuple[str, ...]


def proved_email(flow_id: str | None, *, browser: Browser, now: datetime) -> str:
    """The address that was proved in this flow; raises MailboxNotProved, EmailTaken, FlowExpired.

    Whoever reads the mailbox may be told that there is an ID already.
    """
    with db.reading() as session:
        return _proved(session, flows.load(session, flow_id, browser.id_hash, now))


def finish(
    flow_id: str | None, new_password: str, *, browser: Browser, now: datetime
) -> Cookies | Problem:
    """Make the ID and sign in with it; raises MailboxNotProved, EmailTaken, FlowExpired."""
    email = proved_email(flow_id, browser=browser, now=now)
    problem = why_refuse(new_password, context=[email])
    if problem is not None:
        return problem
    hash_ = hashing().hash(password.normalised(new_password))
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        person = _create(session, flow, browser, now)
        password.store(session, person_id=person.id, hash_=hash_, now=now)
        flow.person_id = person.id
        flow.first_factor_at = now
        flow.first_factor_amr = acr.PASSWORD
        return _enter(session, person, [acr.PASSWORD], acr.SINGLE_FACTOR, browser, now)


def ask_for_passkey(flow_id: str | None, *, browser: Browser, now: datetime) -> dict[str, Any]:
    """The options for a passkey that takes the password's place; raises as `proved_email` does."""
    handle = passkeys.new_user_handle()
    with db.transaction() as session:
        flow = flows.load(session, flow_id, browser.id_hash, now)
        email = _proved(session, flow)
        challenge = passkeys.issue_challenge(
            session,
            ceremony=Ceremony.REGISTRATION,
            browser_hash=browser.id_hash,
            flow_id=flow.id,
            user_handle=handle,
            now=now,
        )
    return ceremonies.ask_to_make(
        ceremonies.relying_party(),
        challenge=challenge,
        user_handle=handle,
        email=email,
        must_stand_alone=True,
    )


def finish_with_passkey(
    flow_id: str | None, text: str, *, name: str, browser: Browser, now: datetime
) -> Finished:
    """Make the ID with a passkey and no password, and sign in with it.

    Raises PasskeyRefused, MailboxNotProved, EmailTaken, FlowExpired.
    """
    answer = ceremonies.read(text)
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        _proved(session, flow)
        challenge = passkeys.spend_challenge(
            session,
            answer.challenge__unverified,
            ceremony=Ceremony.REGISTRATION,
            browser_hash=browser.id_hash,
            flow_id=flow.id,
            now=now,
        )
    # Raised after the commit: a rollback would bring the challenge back.
    if challenge is None or challenge.user_handle is None:
        raise PasskeyRefused("the challenge was not ours, not for this, too late, or used before")
    made = ceremonies.check_made(
        answer,
        ceremonies.relying_party(),
        challenge=answer.challenge__unverified,
        must_stand_alone=True,
    )
    sheet = recovery_codes.make_sheet(hashing())
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        person = _create(session, flow, browser, now)
        passkey = passkeys.store(
            session,
            made,
            person_id=person.id,
            user_handle=challenge.user_handle,
            name=name,
            now=now,
        )
        recovery_codes.store(session, person_id=person.id, sheet=sheet, now=now)
        cookies = _enter(session, person, methods_of(passkey), acr.TWO_FACTOR, browser, now)
    return Finished(cookies, sheet.codes)


def _create(session: Session, flow: Flow, browser: Browser, now: datetime) -> PersonSummary:
    email = _proved(session, flow)
    person = people.find_by_email(session, email)
    if person is None:
        person = people.create(session, email=email, locale=browser.language, now=now)
    else:
        _take_over(session, person, now)
    # What was mailed to the address before its first proof counts for nothing.
    mailed_link.void_all(session, email_key=person.email_key, now=now)
    ledger.append(
        session,
        chain=person_chain(person.id),
        event=IdpEvent.PERSON_REGISTERED,
        actor=str(person.id),
        subject=str(person.id),
        result="success",
        at=now,
        personal={"email": email, **browser.personal},
        request_id=browser.request_id,
    )
    return person


def _take_over(session: Session, person: PersonSummary, now: datetime) -> None:
    """An account has made this ID by adding its address (TEN-7); from now on it is its owner's."""
    people.hold(session, person.id)
    # Another request may have been faster.
    if has_own_access(session, person_id=person.id):
        raise EmailTaken("its owner has come")
    temporary_password.remove(session, person_id=person.id)
    devices.forget(session, person_id=person.id, now=now)
    end_sessions(session, person_id=person.id, reason="first-access", now=now)
    facts.note(session, Kind.PERSON_CAME, account=None, person_id=person.id, now=now)


def _enter(
    session: Session,
    person: PersonSummary,
    amr: list[str],
    reached: str,
    browser: Browser,
    now: datetime,
) -> Cookies:
    return complete(
        session,
        person_id=person.id,
        recipient=Recipient(person.email, browser.language),
        amr=amr,
        acr=reached,
        browser=browser,
        is_first=True,
        now=now,
    )


def _proved(session: Session, flow: AnyFlow) -> str:
    if not mailbox.is_proved(flow, Purpose.REGISTRATION) or flow.mailbox_email is None:
        raise MailboxNotProved("no proof for a registration in this flow")
    person = people.find_by_email(session, flow.mailbox_email)
    if person is not None and not _waits_for_owner(session, person):
        raise EmailTaken("there is an ID with this address")
    return flow.mailbox_email


def _waits_for_owner(session: Session, person: PersonSummary) -> bool:
    """Whether nobody has had a way in with this ID yet."""
    return person.is_active and not has_own_access(session, person_id=person.id)
