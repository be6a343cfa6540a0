"""Sending the code that is the second factor where there is no better one, or where all are lost."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from idp.credentials import email_code
from idp.credentials.email_code import Purpose
from idp.mails import service as mails
from idp.mails.service import Recipient
from kernel.limits import Refusal, Window
from tenants.limits import limits

CODES_TO_PERSON = {
    Purpose.SIGN_IN: Window("mail:sign-in", limit=10, every=timedelta(hours=1)),
    Purpose.LOST_FACTORS: Window("mail:lost-factors", limit=5, every=timedelta(hours=1)),
}
_LETTERS = {Purpose.SIGN_IN: "sign_in/code", Purpose.LOST_FACTORS: "lost_factors/code"}


def send_code(
    session: Session,
    *,
    flow_id: UUID,
    person_id: UUID,
    recipient: Recipient,
    now: datetime,
    purpose: Purpose = Purpose.SIGN_IN,
) -> Refusal | None:
    """Mail a fresh code for this flow; past the hourly limit none goes, and the refusal says why.

    Whoever gets here knows the password, so the page may tell them.
    """
    taken = limits.take_in(session, key=str(person_id), policy=CODES_TO_PERSON[purpose], now=now)
    if isinstance(taken, Refusal):
        return taken
    code = email_code.issue(
        session, flow_id=flow_id, purpose=purpose, recipient=str(person_id), now=now
    )
    mails.send(
        session,
        _LETTERS[purpose],
        to=recipient,
        context={"code": code, "minutes": int(email_code.LIFETIME.total_seconds() // 60)},
        expires_at=now + email_code.LIFETIME,
        now=now,
    )
    return None


def wait(
    session: Session, *, person_id: UUID, now: datetime, purpose: Purpose = Purpose.SIGN_IN
) -> int | None:
    """Whole seconds until another code may be mailed, or None when one may be now."""
    until = limits.refused_until(
        session, key=str(person_id), policy=CODES_TO_PERSON[purpose], now=now
    )
    return Refusal(until, 0).retry_after(now) if until is not None else None
