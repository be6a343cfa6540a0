"""Asking for a mail, and taking the proof that it was read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from idp.credentials import email_code, mailed_link
from idp.credentials.email_code import Purpose
from idp.flows import service as flows
from idp.flows.service import AnyFlow, Flow, FlowExpired
from idp.sessions.browser import Browser
from kernel.errors import Refused
from kernel.limits import Refusal, Window
from kernel.outbox import Lane
from tenants.database import db
from tenants.limits import limits
from tenants.outbox import outbox
from tenants.people.address import Address, canonical_email

KIND = "mailbox"
MAIL_SERVER = "mail-server"

MAILS_TO_ADDRESS = Window("mail:address", limit=5, every=timedelta(hours=1))
MAILS_FROM_PLACE = Window("mail:place", limit=60, every=timedelta(hours=1))

__all__ = ["Purpose", "ask", "is_link_open", "prove_by_code", "prove_by_link"]


class LinkSpent(Refused):
    """The link is old, was used, or was replaced by a newer one."""

    reason = "link_spent"


class NoFlow(Refused):
    """The step does not follow from what was done before."""

    reason = "out_of_order"


@dataclass(frozen=True)
class Asked:
    """A mail may be on its way."""

    flow_id: UUID
    email: str


def ask(
    flow_id: str | None,
    *,
    purpose: Purpose,
    email: str | None,
    browser: Browser,
    return_to: str,
    now: datetime,
) -> Asked:
    """Have a mail sent to this address, or to the flow's; raises NotAnAddress, FlowExpired.

    The answer is the same whether anybody has this address, and also when it was mailed so often
    lately that it isn't now.
    """
    address = canonical_email(email) if email is not None else None
    with db.transaction() as session:
        flow = (
            flows.lock(session, flow_id, browser.id_hash, now)
            if flow_id
            else flows.start(session, browser_hash=browser.id_hash, return_to=return_to, now=now)
        )
        if address is None:
            if flow.email is None:
                raise NoFlow("no address was given yet")
            address = canonical_email(flow.email)
        if flow.email != address.display:
            flow.email = address.display
            _prove_nothing(flow)
        if _may_mail(session, address, purpose, browser, now):
            _put(session, flow, address, purpose, browser, now)
        return Asked(flow.id, address.display)


def prove_by_code(
    flow_id: str | None, *, purpose: Purpose, text: str, browser: Browser, now: datetime
) -> bool:
    """Whether the code is the one that was mailed in this flow; then the mailbox is proved in it."""
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        if flow.email is None:
            raise NoFlow("no address was given yet")
        proved = email_code.redeem(
            session,
            flow_id=flow.id,
            purpose=purpose,
            recipient=canonical_email(flow.email).key,
            text=text,
            now=now,
        )
        if proved:
            _note_proof(flow, email=flow.email, purpose=purpose, now=now)
    return proved


def is_link_open(token: str, *, purpose: Purpose, now: datetime) -> bool:
    """Whether a link would count; looking spends nothing."""
    with db.reading() as session:
        return mailed_link.is_open(session, token=token, purpose=purpose, now=now)


def prove_by_link(
    token: str, *, purpose: Purpose, browser: Browser, return_to: str, now: datetime
) -> UUID:
    """Spend a link, and return the flow of this browser in which the mailbox is now proved.

    In the browser that asked, its flow goes on, towards the application where it began. Elsewhere
    the person finishes here, and the first browser goes on by its code. Raises LinkSpent.
    """
    with db.transaction() as session:
        proof = mailed_link.redeem(session, token=token, purpose=purpose, now=now)
        if proof is not None:
            flow = _flow_of_proof(session, proof, browser, return_to, now)
            _note_proof(flow, email=proof.email, purpose=purpose, now=now)
    if proof is None:
        raise LinkSpent("spent, old, or superseded")
    return flow.id


def begin_proved(
    session: Session,
    *,
    email: str,
    purpose: Purpose,
    browser: Browser,
    return_to: str,
    now: datetime,
) -> UUID:
    """A new flow of this browser in which the mailbox is proved: another link came from it."""
    flow = flows.start(session, browser_hash=browser.id_hash, return_to=return_to, now=now)
    _note_proof(flow, email=email, purpose=purpose, now=now)
    return flow.id


def is_proved(flow: AnyFlow, purpose: Purpose) -> bool:
    """Whether this flow may go on as if its mailbox answered, for this purpose."""
    return flow.mailbox_proven_at is not None and flow.mailbox_proven_for == purpose


def _flow_of_proof(
    session: Session, proof: mailed_link.Proof, browser: Browser, return_to: str, now: datetime
) -> Flow:
    if proof.flow_id is not None:
        try:
            return flows.lock(session, proof.flow_id, browser.id_hash, now)
        except FlowExpired as over:
            if over.request is not None or over.return_to is not None:
                return flows.start(
                    session,
                    browser_hash=browser.id_hash,
                    request=over.request,
                    return_to=over.return_to,
                    now=now,
                )
    return flows.start(session, browser_hash=browser.id_hash, return_to=return_to, now=now)


def _note_proof(flow: Flow, *, email: str, purpose: Purpose, now: datetime) -> None:
    flow.email = email
    flow.mailbox_email = email
    flow.mailbox_proven_at = now
    flow.mailbox_proven_for = purpose


def _prove_nothing(flow: Flow) -> None:
    flow.person_id = flow.first_factor_at = flow.first_factor_amr = None
    flow.mailbox_email = flow.mailbox_proven_at = flow.mailbox_proven_for = None
    flow.new_password_of = flow.new_password_asked_at = None


def _may_mail(
    session: Session, address: Address, purpose: Purpose, browser: Browser, now: datetime
) -> bool:
    place = limits.take_in(
        session,
        key=browser.where.place,
        policy=MAILS_FROM_PLACE,
        now=now,
    )
    if isinstance(place, Refusal):
        return False
    mails = limits.take_in(
        session, key=f"{purpose}:{address.key}", policy=MAILS_TO_ADDRESS, now=now
    )
    return not isinstance(mails, Refusal)


def _put(
    session: Session,
    flow: Flow,
    address: Address,
    purpose: Purpose,
    browser: Browser,
    now: datetime,
) -> None:
    code = email_code.issue(
        session, flow_id=flow.id, purpose=purpose, recipient=address.key, now=now
    )
    token = mailed_link.issue(session, address=address, purpose=purpose, flow_id=flow.id, now=now)
    outbox.put(
        session,
        lane=Lane.MAIL,
        kind=KIND,
        destination=MAIL_SERVER,
        payload={
            "purpose": purpose,
            "email": address.display,
            "language": browser.language,
            "code": code,
            "token": token,
        },
        now=now,
        expires_at=now + email_code.LIFETIME,
    )
