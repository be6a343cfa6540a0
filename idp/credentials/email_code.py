"""Codes by e-mail: eight digits, ten minutes, five tries, for one flow and one purpose."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from flask import current_app
from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import Session

from idp.credentials.models import EmailCode
from kernel.crypto import constant_time_equal, keyed_hash, new_digits
from kernel.ids import new_id

LIFETIME = timedelta(minutes=10)
DIGITS = 8
TRIES = 5


class Purpose(StrEnum):
    """What a mail is good for. A code or link of one kind never counts as another."""

    SIGN_IN = "sign-in"
    REGISTRATION = "registration"
    RESET = "reset"
    WELCOME = "welcome"
    LOST_FACTORS = "lost-factors"


def issue(
    session: Session, *, flow_id: UUID, purpose: Purpose, recipient: str, now: datetime
) -> str:
    """A new code for this flow; earlier ones for the same purpose are void.

    `recipient` (an address key, a person) is bound in: whoever the flow is about when the code is
    typed must be who it was mailed to.
    """
    void(session, flow_id=flow_id, purpose=purpose, now=now)
    code = new_digits(DIGITS)
    session.add(
        EmailCode(
            id=new_id(),
            flow_id=flow_id,
            purpose=purpose,
            code_hash=_hash(code, flow_id, purpose, recipient),
            tries=0,
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    session.flush()
    return code


def redeem(
    session: Session,
    *,
    flow_id: UUID,
    purpose: Purpose,
    recipient: str,
    text: str,
    now: datetime,
) -> bool:
    """Count a try and, if the code is right, spend it. Commit whatever the answer is.

    The try is counted by one conditional statement before anybody compares, so that parallel
    requests share the same five tries, and one of them at most gets the code.
    """
    tried = session.execute(
        update(EmailCode)
        .where(
            _is_live(flow_id, purpose),
            EmailCode.superseded_at.is_(None),
            EmailCode.expires_at > now,
            EmailCode.tries < TRIES,
        )
        .values(tries=EmailCode.tries + 1)
        .returning(EmailCode.id, EmailCode.code_hash)
    ).one_or_none()
    code = digits_of(text)
    given = _hash(code or "", flow_id, purpose, recipient)
    if tried is None or code is None or not constant_time_equal(tried.code_hash, given):
        return False
    spent = session.execute(
        update(EmailCode)
        .where(EmailCode.id == tried.id, EmailCode.used_at.is_(None))
        .values(used_at=now)
        .returning(EmailCode.id)
    )
    return spent.first() is not None


def void(session: Session, *, flow_id: UUID, purpose: Purpose, now: datetime) -> None:
    """No code that was mailed for this purpose in this flow counts any more."""
    session.execute(
        update(EmailCode)
        .where(_is_live(flow_id, purpose), EmailCode.superseded_at.is_(None))
        .values(superseded_at=now)
    )


def last_sent_at(session: Session, *, flow_id: UUID, purpose: Purpose) -> datetime | None:
    """When the newest code of this flow was mailed, or None; with it went the newest link."""
    return session.scalar(
        select(func.max(EmailCode.created_at)).where(
            EmailCode.flow_id == flow_id, EmailCode.purpose == purpose
        )
    )


def was_sent(session: Session, *, flow_id: UUID, purpose: Purpose, now: datetime) -> bool:
    """Whether a code of this flow can still be typed in."""
    found = session.execute(
        select(EmailCode.id).where(
            _is_live(flow_id, purpose),
            EmailCode.superseded_at.is_(None),
            EmailCode.expires_at > now,
            EmailCode.tries < TRIES,
        )
    )
    return found.first() is not None


def digits_of(text: str) -> str | None:
    """The code as somebody typed or pasted it, with any spaces between, or None.

    >>> digits_of(" 1234 5678 "), digits_of("123-456"), digits_of("12a4")
    ('12345678', '123456', None)
    """
    digits = re.sub(r"[\s\-]", "", text)
    return digits if re.fullmatch(r"[0-9]{1,16}", digits) else None


def _is_live(flow_id: UUID, purpose: Purpose) -> ColumnElement[bool]:
    return and_(
        EmailCode.flow_id == flow_id,
        EmailCode.purpose == purpose,
        EmailCode.used_at.is_(None),
    )


def _hash(code: str, flow_id: UUID, purpose: Purpose, recipient: str) -> bytes:
    """Eight digits are quickly tried out, so the hash needs a key that the database doesn't hold."""
    secret = current_app.extensions["klucznik.settings"].ledger_secret()
    return keyed_hash(
        secret,
        b"email code",
        flow_id.bytes,
        purpose.encode(),
        recipient.encode("utf-8", "surrogatepass"),
        code.encode(),
    )
