"""Links by e-mail: 256 random bits, an hour or so, once, for one address and one purpose."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.credentials.email_code import Purpose
from idp.credentials.models import MailedLink
from kernel.crypto import hash_token, new_token
from kernel.ids import new_id
from tenants.people.address import Address

LIFETIME = timedelta(minutes=60)


@dataclass(frozen=True)
class Proof:
    """What a link proves: that this mailbox is read by whoever opened it."""

    email: str
    flow_id: UUID | None


def issue(
    session: Session,
    *,
    address: Address,
    purpose: Purpose,
    flow_id: UUID | None,
    now: datetime,
    lifetime: timedelta = LIFETIME,
) -> str:
    """A token for a new link; earlier ones to the same address for the same purpose are void."""
    void_all(session, email_key=address.key, purpose=purpose, now=now)
    token = new_token()
    session.add(
        MailedLink(
            id=new_id(),
            purpose=purpose,
            email=address.display,
            email_key=address.key,
            token_hash=hash_token(token),
            flow_id=flow_id,
            created_at=now,
            expires_at=now + lifetime,
        )
    )
    session.flush()
    return token


def redeem(session: Session, *, token: str, purpose: Purpose, now: datetime) -> Proof | None:
    """Spend a link by one conditional statement; None when it is spent, old or wrong."""
    spent = session.execute(
        update(MailedLink)
        .where(
            MailedLink.token_hash == hash_token(token),
            MailedLink.purpose == purpose,
            MailedLink.used_at.is_(None),
            MailedLink.superseded_at.is_(None),
            MailedLink.expires_at > now,
        )
        .values(used_at=now)
        .returning(MailedLink.email, MailedLink.flow_id)
    ).one_or_none()
    return Proof(spent.email, spent.flow_id) if spent is not None else None


def void_all(
    session: Session, *, email_key: str, now: datetime, purpose: Purpose | None = None
) -> None:
    """No link that is still under way to this address (for this purpose) counts any more."""
    statement = update(MailedLink).where(
        MailedLink.email_key == email_key,
        MailedLink.used_at.is_(None),
        MailedLink.superseded_at.is_(None),
    )
    if purpose is not None:
        statement = statement.where(MailedLink.purpose == purpose)
    session.execute(statement.values(superseded_at=now))


def recipient_of(session: Session, *, token: str, purpose: Purpose) -> str | None:
    """To whom a link was mailed, whether or not it counts any more."""
    return session.scalars(
        select(MailedLink.email).where(
            MailedLink.token_hash == hash_token(token), MailedLink.purpose == purpose
        )
    ).one_or_none()


def is_open(session: Session, *, token: str, purpose: Purpose, now: datetime) -> bool:
    """Whether a link would count; looking changes nothing."""
    found = session.execute(
        select(MailedLink.id).where(
            MailedLink.token_hash == hash_token(token),
            MailedLink.purpose == purpose,
            MailedLink.used_at.is_(None),
            MailedLink.superseded_at.is_(None),
            MailedLink.expires_at > now,
        )
    )
    return found.first() is not None
