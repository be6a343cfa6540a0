"""Ending grants. Inner functions: they take the caller's session."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from idp.clients.models import SpentAssertion
from idp.grants.models import Grant, RefreshToken, RevokedAccessToken
from kernel.crypto import hash_token

_BATCH = 500
# A spent code must be recognised when it comes again, for as long as anything it bought lives.
_KEPT_AFTER_END = timedelta(days=1)


class Reason(StrEnum):
    """Why a grant was ended."""

    CODE_REPLAYED = "code replayed"
    REFRESH_TOKEN_REPLAYED = "refresh token replayed"  # noqa: S105
    REVOKED_BY_CLIENT = "revoked by client"
    SESSION_ENDED = "session ended"
    CONSENT_WITHDRAWN = "consent withdrawn"


def revoke(session: Session, grant_id: UUID, *, reason: Reason, now: datetime) -> bool:
    """End one grant with everything that came of it; False if it was over."""
    ended = session.execute(
        update(Grant)
        .where(Grant.id == grant_id, Grant.revoked_at.is_(None))
        .values(revoked_at=now, revoked_for=reason)
        .returning(Grant.id)
    )
    return ended.first() is not None


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


def revoke_access_token(session: Session, jti: str, *, expires_at: datetime) -> None:
    """Refuse this one access token until it would have ended anyway."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.execute(
        dialect.insert(RevokedAccessToken)
        .values(jti_hash=hash_token(jti), expires_at=expires_at)
        .on_conflict_do_nothing()
    )


def sweep(session: Session, *, now: datetime) -> int:
    """Remove a batch of what nobody can use any more; says how much. Nothing depends on it."""
    removed = 0
    alive = select(RefreshToken.grant_id).where(
        RefreshToken.grant_id == Grant.id, RefreshToken.chain_expires_at > now
    )
    for statement in (
        select(Grant.id).where(Grant.code_expires_at < now - _KEPT_AFTER_END, ~alive.exists()),
    ):
        ids = session.scalars(statement.limit(_BATCH)).all()
        session.execute(delete(Grant).where(Grant.id.in_(ids)))
        removed += len(ids)
    links = session.scalars(
        select(RefreshToken.id).where(RefreshToken.chain_expires_at < now).limit(_BATCH)
    ).all()
    session.execute(delete(RefreshToken).where(RefreshToken.id.in_(links)))
    hashes = session.scalars(
        select(RevokedAccessToken.jti_hash).where(RevokedAccessToken.expires_at < now).limit(_BATCH)
    ).all()
    session.execute(delete(RevokedAccessToken).where(RevokedAccessToken.jti_hash.in_(hashes)))
    spent = session.scalars(
        select(SpentAssertion.jti_hash).where(SpentAssertion.expires_at < now).limit(_BATCH)
    ).all()
    session.execute(
        delete(SpentAssertion).where(
            SpentAssertion.jti_hash.in_(spent), SpentAssertion.expires_at < now
        )
    )
    return removed + len(links) + len(hashes) + len(spent)
