"""People without their factors, at every stage of asking for help."""

from datetime import datetime, timedelta
from uuid import UUID

from idp.credentials import lost_factors
from idp.credentials.email_code import Purpose
from idp.flows import service as flows
from idp.lost_factors import decisions
from idp.lost_factors.decisions import Case
from idp.protocol import acr
from tenants.database import db
from tests.idp.visitor import a_person, an_authenticator

ANNA = "anna@example.com"


def anna_with_an_app(now: datetime) -> UUID:
    """Somebody who can't get in any more."""
    person_id = a_person(ANNA)
    an_authenticator(person_id, now=now)
    return person_id


def a_flow_with_a_password(
    person_id: UUID, now: datetime, *, proved: bool = True, browser_hash: bytes = b"b" * 32
) -> str:
    """A flow in which the password was typed, and the mailbox proved if you like."""
    with db.transaction() as session:
        flow = flows.start(session, browser_hash=browser_hash, email=ANNA, now=now)
        flow.person_id, flow.first_factor_at, flow.first_factor_amr = person_id, now, acr.PASSWORD
        if proved:
            flow.mailbox_email, flow.mailbox_proven_at = ANNA, now
            flow.mailbox_proven_for = Purpose.LOST_FACTORS
        return str(flow.id)


def a_request(person_id: UUID, now: datetime, *, days: int = 14) -> tuple[UUID, str]:
    """An open request, and the token that stops it."""
    with db.transaction() as session:
        made = lost_factors.ask(
            session,
            person_id=person_id,
            contact="+48 600 700 800",
            note=None,
            address="192.0.2.7",
            user_agent="Firefox",
            expires_at=now + timedelta(days=days),
            now=now,
        )
    assert made is not None
    return made


def an_approved_request(person_id: UUID, now: datetime) -> Case:
    """A request whose waiting time has just begun."""
    request_id, _ = a_request(person_id, now)
    return decisions.approve(request_id, proof="Identity card", by="Jan Nowak", now=now)
