"""The last step of registration: the mailbox is proved, a password was chosen, the ID begins."""

from datetime import datetime

from sqlalchemy.orm import Session

from idp.credentials import mailed_link, password
from idp.credentials.email_code import Purpose
from idp.credentials.hashing import hashing
from idp.credentials.new_password import why_refuse
from idp.credentials.password import Problem
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.flows.service import AnyFlow
from idp.mailbox import service as mailbox
from idp.mails.service import Recipient
from idp.protocol import acr
from idp.sessions.browser import Browser
from idp.sign_in.completion import Cookies, complete
from kernel.errors import Refused
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people import service as people
from tenants.people.service import EmailTaken


class MailboxNotProved(Refused):
    """The steps before are missing."""

    reason = "out_of_order"


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
        email = _proved(session, flow)
        person = people.create(session, email=email, locale=browser.language, now=now)
        password.store(session, person_id=person.id, hash_=hash_, now=now)
        # What was mailed to the address before its first proof counts for nothing.
        mailed_link.void_all(session, email_key=person.email_key, now=now)
        flow.person_id = person.id
        flow.first_factor_at = now
        flow.first_factor_amr = acr.PASSWORD
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
        return complete(
            session,
            person_id=person.id,
            recipient=Recipient(person.email, browser.language),
            amr=[acr.PASSWORD],
            acr=acr.SINGLE_FACTOR,
            browser=browser,
            is_first=True,
            now=now,
        )


def _proved(session: Session, flow: AnyFlow) -> str:
    if not mailbox.is_proved(flow, Purpose.REGISTRATION) or flow.mailbox_email is None:
        raise MailboxNotProved("no proof for a registration in this flow")
    if people.find_by_email(session, flow.mailbox_email) is not None:
        raise EmailTaken("there is an ID with this address")
    return flow.mailbox_email
