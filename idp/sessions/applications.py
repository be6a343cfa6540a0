"""Each application's own name for a browser session: two applications can't compare notes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.sessions.models import ApplicationSession
from kernel.ids import new_id


@dataclass(frozen=True)
class Entered:
    """An application that was entered in a session."""

    sid: UUID
    session_id: UUID
    client_id: str


def sid_for(session: Session, session_id: UUID, client_id: str, *, now: datetime) -> UUID:
    """The `sid` of this session in this application; made at the first entry."""
    known = _find(session, session_id, client_id)
    if known is not None:
        return known
    try:
        with session.begin_nested():
            entered = ApplicationSession(
                sid=new_id(), session_id=session_id, client_id=client_id, created_at=now
            )
            session.add(entered)
    except IntegrityError:
        # Two tabs entered the application at once.
        found = _find(session, session_id, client_id)
        if found is None:
            raise
        return found
    return entered.sid


def entered_in(session: Session, session_ids: list[UUID]) -> list[Entered]:
    """The applications that were entered in any of these sessions."""
    rows = session.execute(
        select(
            ApplicationSession.sid, ApplicationSession.session_id, ApplicationSession.client_id
        ).where(ApplicationSession.session_id.in_(session_ids))
    )
    return [Entered(*row) for row in rows]


def _find(session: Session, session_id: UUID, client_id: str) -> UUID | None:
    return session.scalars(
        select(ApplicationSession.sid).where(
            ApplicationSession.session_id == session_id,
            ApplicationSession.client_id == client_id,
        )
    ).one_or_none()
