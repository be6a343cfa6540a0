"""Ending sessions with all that hangs on them. Inner functions: they take the caller's session."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from idp.clients import service as clients
from idp.grants import service as grants
from idp.logout import backchannel
from idp.sessions import applications
from idp.sessions.models import BrowserSession


def end_sessions(
    session: Session,
    *,
    session_ids: Sequence[UUID] | None = None,
    person_id: UUID | None = None,
    except_session_id: UUID | None = None,
    reason: str,
    now: datetime,
) -> list[UUID]:
    """End these sessions, or all of a person's but one; returns those that were alive.

    Refresh tokens and codes end in this transaction. The applications are told by the worker.
    """
    statement = update(BrowserSession).where(BrowserSession.ended_at.is_(None))
    if session_ids is not None:
        statement = statement.where(BrowserSession.id.in_(list(session_ids)))
    if person_id is not None:
        statement = statement.where(BrowserSession.person_id == person_id)
    if session_ids is None and person_id is None:
        return []
    if except_session_id is not None:
        statement = statement.where(BrowserSession.id != except_session_id)
    rows = session.execute(
        statement.values(ended_at=now, end_reason=reason).returning(
            BrowserSession.id, BrowserSession.person_id
        )
    ).all()
    owners = {row.id: row.person_id for row in rows}
    if owners:
        grants.revoke_of_sessions(session, owners, now=now)
        _tell_applications(session, owners, now)
    return list(owners)


def _tell_applications(session: Session, owners: dict[UUID, UUID], now: datetime) -> None:
    for entered in applications.entered_in(session, list(owners)):
        client = clients.find(session, entered.client_id)
        if client is None or client.backchannel_logout_uri is None:
            continue
        backchannel.announce(
            session,
            client_id=client.id,
            uri=client.backchannel_logout_uri,
            subject=owners[entered.session_id],
            sid=entered.sid,
            now=now,
        )
