"""Whether a grant still stands: asked by every refresh, introspection and userinfo request."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, select
from sqlalchemy.orm import Session

from consent.oauth import service as consents
from idp.clients.service import RegisteredClient
from idp.grants.models import Grant
from idp.sessions.models import BrowserSession
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


def columns() -> Select[Any]:
    """The statement that finds grants with all that their standing depends on."""
    person = people.active_people().subquery()
    return (
        select(
            Grant.id,
            Grant.client_id,
            Grant.person_id,
            Grant.session_id,
            Grant.sid,
            Grant.scopes,
            Grant.resources,
            Grant.auth_time,
            Grant.acr,
            Grant.amr,
            Grant.nonce,
            Grant.redeemed_at,
            Grant.revoked_at,
            person.c.id.is_not(None).label("person_is_active"),
            BrowserSession.ended_at.label("session_ended_at"),
            BrowserSession.expires_at.label("session_expires_at"),
        )
        .join(BrowserSession, BrowserSession.id == Grant.session_id)
        .outerjoin(person, and_(person.c.id == Grant.person_id))
    )


def find(session: Session, grant_id: UUID) -> GrantState | None:
    """The grant with this id, whatever became of it."""
    row = session.execute(columns().where(Grant.id == grant_id)).one_or_none()
    return from_row(row) if row is not None else None


def from_row(row: Row[Any]) -> GrantState:
    """A grant from a row whose first columns are those of `columns`."""
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
