"""Sending the code that is the second factor where there is no better one."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from idp.credentials import email_code
from idp.credentials.email_code import Purpose
from idp.mails import service as mails
from idp.mails.service import Recipient
from kernel.limits import Refusal, Window
from tenants.limits import limits

CODES_TO_PERSON = Window("mail:sign-in", limit=10, every=timedelta(hours=1))


def send_code(
    session: Session, *, flow_id: UUID, person_id: UUID, recipient: Recipient, now: datetime
) -> None:
    """Mail a fresh code for this flow; past the hourly limit none goes, and nobody is told."""
    taken = limits.take_in(session, key=str(person_id), policy=CODES_TO_PERSON, now=now)
    if isinstance(taken, Refusal):
        return
    code = email_code.issue(
        session, flow_id=flow_id, purpose=Purpose.SIGN_IN, recipient=str(person_id), now=now
    )
    mails.send(
        session,
        "sign_in/code",
        to=recipient,
        context={"code": code, "minutes": int(email_code.LIFETIME.total_seconds() // 60)},
        expires_at=now + email_code.LIFETIME,
        now=now,
    )
