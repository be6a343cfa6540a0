"""The moment in which a person has a password of their own for the first time."""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.access.service import How
from idp.credentials import mailed_link
from idp.events import IdpEvent
from idp.logout import end_sessions
from idp.mails.service import Recipient
from idp.notices import service as notices
from idp.protocol import acr
from idp.sessions import devices
from idp.sessions.browser import Browser
from idp.sign_in import throttle
from idp.sign_in.completion import Cookies, complete
from tenants.audit import ledger, person_chain
from tenants.facts import service as facts
from tenants.facts.service import Kind
from tenants.people.service import PersonSummary


def enter(
    session: Session,
    person: PersonSummary,
    *,
    how: How,
    browser: Browser,
    now: datetime,
    application: str | None = None,
) -> Cookies:
    """Sign the person in who just set the first own password, in the caller's transaction.

    The mail that brought the secret was the proof of the mailbox, so no code follows;
    and whatever there was before this first proof ends. Raises Locked.
    """
    throttle.forget_passwords(session, email_key=person.email_key, device_id=None)
    mailed_link.void_all(session, email_key=person.email_key, now=now)
    devices.forget(session, person_id=person.id, now=now)
    end_sessions(session, person_id=person.id, reason="first-access", now=now)
    ledger.append(
        session,
        chain=person_chain(person.id),
        event=IdpEvent.ACCESS_USED,
        actor=str(person.id),
        subject=str(person.id),
        result="success",
        at=now,
        details={"how": how},
        personal=browser.personal,
        request_id=browser.request_id,
    )
    facts.note(session, Kind.PERSON_CAME, account=None, person_id=person.id, now=now)
    recipient = Recipient.of(person, otherwise=browser.language)
    notices.tell(
        session, "own_password_set", person_id=person.id, to=recipient, browser=browser, now=now
    )
    return complete(
        session,
        person_id=person.id,
        recipient=recipient,
        amr=[acr.PASSWORD],
        acr=acr.SINGLE_FACTOR,
        browser=browser,
        is_first=True,
        application=application,
        now=now,
    )
