"""What can be done with the link of an invitation. Looking, signing in and registering accept nothing.

The text of the link comes from the mail, so whoever has it reads the mailbox. To accept takes more: a
session of the ID with that address.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from idp.credentials.email_code import Purpose
from idp.credentials.own_access import has_own_access
from idp.flows import service as flows
from idp.flows.service import FlowExpired
from idp.invitations.link import Link, NotALink
from idp.mailbox import service as mailbox
from idp.sessions.browser import Browser
from idp.sessions.service import SignedIn
from kernel.errors import Refused
from tenants.accounts import service as accounts
from tenants.database import db
from tenants.invitations import offers
from tenants.invitations.offers import NotYours, Offer
from tenants.invitations.rows import NotOpen
from tenants.members.service import AlreadyMember
from tenants.people import service as people
from tenants.people.address import canonical_email
from tenants.standing import places
from tenants.standing.service import ACTIVE


class Over(Refused):
    """The link offers nothing: accepted, declined, revoked, expired, superseded, or never ours."""

    reason = "invitation_over"


class SomebodyElse(Refused):
    """Another ID is signed in than that with the address, or none."""

    status = 403
    reason = "another_address"


@dataclass(frozen=True)
class Way:
    """A flow that leads back to the invitation."""

    flow_id: UUID
    registers: bool = False


def look(text: str, *, now: datetime) -> Offer:
    """What the link offers; spends nothing. Raises Over."""
    link = _read(text)
    with db.reading(tenant=link.account) as session:
        account = accounts.find(session, link.account)
        if account is None or not account.is_active:
            raise Over("the account is closed or suspended")
        try:
            return offers.look(session, link.account, link.token, now=now)
        except NotOpen as answered:
            raise Over(answered.detail) from answered


def is_for(offer: Offer, me: SignedIn | None) -> bool:
    """Whether the invitation is for the address of this ID."""
    return me is not None and canonical_email(me.email).key == offer.invitation.email_key


def accept(text: str, *, me: SignedIn | None, now: datetime) -> str:
    """Take up the place; says in which account. Raises Over, SomebodyElse, AlreadyMember.

    Pressed twice, it was accepted once, and both lead to the account.
    """
    link = _read(text)
    if me is None:
        raise SomebodyElse("nobody is signed in")
    try:
        with db.transaction(tenant=link.account) as session:
            offers.accept(session, link.account, link.token, person_id=me.person_id, now=now)
    except NotYours as refused:
        raise SomebodyElse(refused.detail) from refused
    except AlreadyMember:
        raise
    except Refused as refused:
        if not _is_in(link.account, me.person_id):
            raise Over(refused.detail) from refused
    return link.account


def decline(text: str, *, me: SignedIn | None, now: datetime) -> Offer:
    """Turn the place down, with an ID or without; says what it was. Raises Over."""
    link, offer = _read(text), look(text, now=now)
    person_id = me.person_id if me is not None and is_for(offer, me) else None
    try:
        with db.transaction(tenant=link.account) as session:
            offers.decline(session, link.account, link.token, person_id=person_id, now=now)
    except NotOpen as answered:
        raise Over(answered.detail) from answered
    return offer


def sign_in(text: str, *, browser: Browser, return_to: str, now: datetime) -> Way:
    """A flow in which the ID with that address signs in. Raises Over."""
    email = look(text, now=now).invitation.email
    with db.transaction() as session:
        flow = flows.start(
            session, browser_hash=browser.id_hash, return_to=return_to, email=email, now=now
        )
        return Way(flow.id)


def register(text: str, *, browser: Browser, return_to: str, now: datetime) -> Way:
    """A flow in which an ID with that address begins; where there is one, it signs in. Raises Over.

    The link came from the mailbox, so no other mail has to prove it.
    """
    email = look(text, now=now).invitation.email
    with db.reading() as session:
        person = people.find_by_email(session, email)
        is_known = person is not None and has_own_access(session, person_id=person.id)
    if is_known:
        return sign_in(text, browser=browser, return_to=return_to, now=now)
    with db.transaction() as session:
        flow_id = mailbox.begin_proved(
            session,
            email=email,
            purpose=Purpose.REGISTRATION,
            browser=browser,
            return_to=return_to,
            now=now,
        )
    return Way(flow_id, registers=True)


def lets_register(text: str, flow_id: str | None, *, browser: Browser, now: datetime) -> bool:
    """Whether this flow is about the address of an open invitation: those register where others can't."""
    try:
        offer = look(text, now=now)
        with db.reading() as session:
            flow = flows.load(session, flow_id, browser.id_hash, now)
    except (Over, FlowExpired):
        return False
    proved = flow.mailbox_email if mailbox.is_proved(flow, Purpose.REGISTRATION) else None
    return proved is not None and canonical_email(proved).key == offer.invitation.email_key


def _read(text: str) -> Link:
    try:
        return Link.read(text)
    except NotALink as malformed:
        raise Over(malformed.detail) from malformed


def _is_in(account: str, person_id: UUID) -> bool:
    with db.reading(person=person_id) as session:
        found = places.of_person(session, person_id)
    return any(
        place.account == account and place.status == place.member_state == ACTIVE for place in found
    )
