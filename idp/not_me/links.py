"""The link that a notice carries: 256 random bits, some days, once, for one person and one notice."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from idp.not_me.models import NotMeLink
from idp.settings import current_settings
from kernel.crypto import hash_token, new_token
from kernel.ids import new_id


class Factor(StrEnum):
    """What a notice can say was added."""

    AUTHENTICATOR = "authenticator"
    PASSKEY = "passkey"
    RECOVERY_CODES = "recovery-codes"


@dataclass(frozen=True)
class Added:
    """The factor that a notice says was added: it goes if its owner says «not me»."""

    kind: Factor
    id: UUID


@dataclass(frozen=True)
class Link:
    """What a link is about."""

    person_id: UUID
    notice: str
    added: Added | None
    sent_at: datetime


def issue(
    session: Session, *, person_id: UUID, notice: str, now: datetime, added: Added | None = None
) -> str:
    """A new link for a notice to this person: its token, which is kept nowhere but in the mail."""
    token = new_token()
    session.add(
        NotMeLink(
            id=new_id(),
            person_id=person_id,
            token_hash=hash_token(token),
            notice=notice,
            added_kind=added.kind if added is not None else None,
            added_id=added.id if added is not None else None,
            created_at=now,
            expires_at=now + lifetime(),
        )
    )
    session.flush()
    return token


def find(session: Session, *, token: str, now: datetime) -> Link | None:
    """What an open link is about; looking changes nothing."""
    row = session.execute(select(*_COLUMNS).where(_is_open(token, now))).one_or_none()
    return _link(row) if row is not None else None


def redeem(session: Session, *, token: str, now: datetime) -> Link | None:
    """Spend a link; of many at once one gets it, the others None."""
    row = session.execute(
        update(NotMeLink).where(_is_open(token, now)).values(used_at=now).returning(*_COLUMNS)
    ).one_or_none()
    return _link(row) if row is not None else None


def lifetime() -> timedelta:
    """How long the link of a notice counts."""
    return timedelta(days=current_settings().not_me_days)


_COLUMNS = (
    NotMeLink.person_id,
    NotMeLink.notice,
    NotMeLink.added_kind,
    NotMeLink.added_id,
    NotMeLink.created_at,
)


def _is_open(token: str, now: datetime) -> ColumnElement[bool]:
    return and_(
        NotMeLink.token_hash == hash_token(token),
        NotMeLink.used_at.is_(None),
        NotMeLink.expires_at > now,
    )


def _link(row: tuple[UUID, str, str | None, UUID | None, datetime]) -> Link:
    person_id, notice, kind, factor_id, sent_at = row
    added = Added(Factor(kind), factor_id) if kind is not None and factor_id is not None else None
    return Link(person_id, notice, added, sent_at)
