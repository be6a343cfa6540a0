"""Each application's own name for a browser session: two applications can't compare notes."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, UpdateBase, bindparam, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from idp.sessions.models import ApplicationSession
from kernel.database import HotStatement, Reads
from kernel.ids import new_id


@dataclass(frozen=True)
class Entered:
    """An application that was entered in a session."""

    sid: UUID
    session_id: UUID
    client_id: str


_TABLE = cast(Table, ApplicationSession.__table__)
SID = select(_TABLE.c.sid).where(
    _TABLE.c.session_id == bindparam("entered_session"),
    _TABLE.c.client_id == bindparam("entered_client"),
)
"""The `sid` of a session in an application, to be looked up by the statement that needs it."""


def _enter() -> UpdateBase:
    names = ("sid", "session_id", "client_id", "created_at")
    statement = postgresql.insert(_TABLE).values({name: bindparam(name) for name in names})
    # Both databases spell it alike.
    return statement.on_conflict_do_nothing()


_ENTER = HotStatement(_enter)


def enter(at: Reads, session_id: UUID, client_id: str, *, now: datetime) -> None:
    """Give the session a `sid` in this application, unless it has one.

    Two tabs that enter at once get the same one.
    """
    _ENTER.rows(at, sid=new_id(), session_id=session_id, client_id=client_id, created_at=now)


def entered_in(session: Session, session_ids: list[UUID]) -> list[Entered]:
    """The applications that were entered in any of these sessions."""
    rows = session.execute(
        select(
            ApplicationSession.sid, ApplicationSession.session_id, ApplicationSession.client_id
        ).where(ApplicationSession.session_id.in_(session_ids))
    )
    return [Entered(*row) for row in rows]
