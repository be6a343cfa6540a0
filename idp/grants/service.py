"""Ending grants, in the caller's transaction, and cleaning up after them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from idp.clients.models import SpentAssertion
from idp.events import ProviderEvent
from idp.grants.models import Grant, RefreshToken, RevokedAccessToken
from idp.grants.state import GrantState
from kernel.crypto import hash_token
from kernel.database import dialect_of, upsert
from tenants.audit import ledger, person_chain
from tenants.database import db

_BATCH = 500
_RETRY = timedelta(minutes=1)


class Reason(StrEnum):
    """Why a grant was ended."""

    CODE_REPLAYED = "code replayed"
    REFRESH_TOKEN_REPLAYED = "refresh token replayed"  # noqa: S105
    REVOKED_BY_CLIENT = "revoked by client"
    SESSION_ENDED = "session ended"
    CONSENT_WITHDRAWN = "consent withdrawn"


_REPLAYS = {
    ProviderEvent.CODE_REPLAYED: Reason.CODE_REPLAYED,
    ProviderEvent.REFRESH_TOKEN_REPLAYED: Reason.REFRESH_TOKEN_REPLAYED,
}


def revoke(session: Session, grant_id: UUID, *, reason: Reason, now: datetime) -> bool:
    """End one grant with everything that came of it; False if it was over."""
    ended = session.execute(
        update(Grant)
        .where(Grant.id == grant_id, Grant.revoked_at.is_(None))
        .values(revoked_at=now, revoked_for=reason)
        .returning(Grant.id)
    )
    return ended.first() is not None


def revoke_replayed(
    session: Session, grant: GrantState, *, event: ProviderEvent, now: datetime
) -> None:
    """End a grant whose code or refresh token was used twice, and write down that it leaked."""
    reason = _REPLAYS[event]
    if not revoke(session, grant.id, reason=reason, now=now):
        return
    ledger.append(
        session,
        chain=person_chain(grant.person_id),
        event=event,
        actor=f"client:{grant.client_id}",
        subject=str(grant.person_id),
        result="failure",
        at=now,
        details={"grant": str(grant.id)},
    )


def revoke_of_sessions(session: Session, session_ids: Iterable[UUID], *, now: datetime) -> None:
    """End all grants of these sessions."""
    session.execute(
        update(Grant)
        .where(Grant.session_id.in_(list(session_ids)), Grant.revoked_at.is_(None))
        .values(revoked_at=now, revoked_for=Reason.SESSION_ENDED)
    )


def revoke_of_application(
    session: Session, *, person_id: UUID, client_id: str, now: datetime
) -> None:
    """End all grants of a person to an application, when consent is withdrawn."""
    session.execute(
        update(Grant)
        .where(
            Grant.person_id == person_id,
            Grant.client_id == client_id,
            Grant.revoked_at.is_(None),
        )
        .values(revoked_at=now, revoked_for=Reason.CONSENT_WITHDRAWN)
    )


def revoke_access_token(session: Session, jti: str, *, expires_at: datetime) -> bool:
    """Refuse this one access token until it would have ended anyway; False if it was refused."""
    revoked = session.execute(
        upsert(dialect_of(session), RevokedAccessToken)
        .values(jti_hash=hash_token(jti), expires_at=expires_at)
        .on_conflict_do_nothing()
        .returning(RevokedAccessToken.jti_hash)
    )
    return revoked.first() is not None


def clean(now: datetime) -> int:
    """Remove a batch of what nobody can use any more; says how much. No rule depends on it."""
    with db.transaction() as session:
        wiped = _wipe_answers(session, now)
        return (
            wiped
            # Refresh tokens go with their grant.
            + _remove(session, Grant.id, Grant.kept_until < now)
            + _remove(session, RevokedAccessToken.jti_hash, RevokedAccessToken.expires_at < now)
            + _remove(session, SpentAssertion.jti_hash, SpentAssertion.expires_at < now)
        )


def _remove(session: Session, key: InstrumentedAttribute[Any], is_over: ColumnElement[bool]) -> int:
    found = session.scalars(select(key).where(is_over).limit(_BATCH)).all()
    if found:
        session.execute(delete(key.class_).where(key.in_(found), is_over))
    return len(found)


def _wipe_answers(session: Session, now: datetime) -> int:
    """Forget the answers that are kept for a client's retry."""
    found = session.scalars(
        select(RefreshToken.id)
        .where(RefreshToken.answer_sealed.is_not(None), RefreshToken.spent_at < now - _RETRY)
        .limit(_BATCH)
    ).all()
    if found:
        session.execute(
            update(RefreshToken).where(RefreshToken.id.in_(found)).values(answer_sealed=None)
        )
    return len(found)
