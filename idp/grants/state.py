"""Whether a grant still stands: asked by every refresh, introspection and userinfo request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.orm import Session

from consent.oauth import service as consents
from idp.clients.service import RegisteredClient
from idp.grants.models import Grant, RevokedAccessToken
from idp.protocol import scopes
from idp.sessions.models import BrowserSession
from kernel.crypto import hash_token
from tenants.people import service as people


@dataclass(frozen=True)
class GrantState:
    """A grant as it is now, and the facts on which it stands."""

    id: UUID
    client_id: str
    person_id: UUID
    session_id: UUID
    sid: UUID
    scopes: tuple[str, ...]
    resources: tuple[str, ...]
    auth_time: datetime
    acr: str
    amr: tuple[str, ...]
    nonce: str | None
    redeemed_at: datetime | None
    revoked_at: datetime | None
    person_is_active: bool
    session_ended_at: datetime | None
    session_expires_at: datetime


def _columns() -> Select[Any]:
    """The statement that finds grants with all that their standing depends on.

    Hot: made of tables, not of mapped classes, and once.
    """
    grant, browser = Grant.__table__.c, BrowserSession.__table__.c
    person = people.active_people().subquery()
    statement = (
        select(
            grant.id,
            grant.client_id,
            grant.person_id,
            grant.session_id,
            grant.sid,
            grant.scopes,
            grant.resources,
            grant.auth_time,
            grant.acr,
            grant.amr,
            grant.nonce,
            grant.redeemed_at,
            grant.revoked_at,
            person.c.id.is_not(None).label("person_is_active"),
            browser.ended_at.label("session_ended_at"),
            browser.expires_at.label("session_expires_at"),
        )
        .join(BrowserSession.__table__, browser.id == grant.session_id)
        .outerjoin(person, person.c.id == grant.person_id)
    )
    return cast(Select[Any], statement)


COLUMNS = _columns()
_BY_ID = COLUMNS.where(Grant.__table__.c.id == bindparam("grant_id"))
_REVOKED = select(RevokedAccessToken.__table__.c.jti_hash).where(
    RevokedAccessToken.__table__.c.jti_hash == bindparam("jti_hash")
)


def find(session: Session, grant_id: UUID) -> GrantState | None:
    """The grant with this id, whatever became of it."""
    row = session.connection().execute(_BY_ID, {"grant_id": grant_id}).one_or_none()
    return from_row(row) if row is not None else None


def from_row(row: Row[Any]) -> GrantState:
    """A grant from a row whose first columns are `COLUMNS`."""
    return GrantState(
        id=row.id,
        client_id=row.client_id,
        person_id=row.person_id,
        session_id=row.session_id,
        sid=row.sid,
        scopes=tuple(row.scopes),
        resources=tuple(row.resources),
        auth_time=row.auth_time,
        acr=row.acr,
        amr=tuple(row.amr),
        nonce=row.nonce,
        redeemed_at=row.redeemed_at,
        revoked_at=row.revoked_at,
        person_is_active=bool(row.person_is_active),
        session_ended_at=row.session_ended_at,
        session_expires_at=row.session_expires_at,
    )


def why_ended(state: GrantState, now: datetime) -> str | None:
    """Say why nothing comes of this grant any more, or None while it stands."""
    if state.revoked_at is not None:
        return "the grant was revoked"
    if not state.person_is_active:
        return "the person may not sign in"
    if state.session_ended_at is not None:
        return "the session was ended"
    if state.session_expires_at <= now and scopes.OFFLINE_ACCESS not in state.scopes:
        return "the session is over"
    return None


def consent_stands(session: Session, client: RegisteredClient, state: GrantState) -> bool:
    """Whether the person still allows the application what the grant holds."""
    return client.first_party or not consents.is_needed(
        session, person_id=state.person_id, client_id=client.id, scopes=state.scopes
    )


def is_revoked(session: Session, jti: str) -> bool:
    """Whether this one access token was revoked."""
    found = session.connection().execute(_REVOKED, {"jti_hash": hash_token(jti)})
    return found.first() is not None
