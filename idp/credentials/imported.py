"""Imported passwords that nobody has signed in with yet: how many, and an end to them."""

from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from idp.credentials.models import Password
from idp.events import IdpEvent
from kernel.ledger import INSTALLATION
from tenants.audit import ledger
from tenants.database import db

_WAITS = Password.imported_milliseconds.is_not(None)


def count(session: Session) -> int:
    """How many still have the hash of another system."""
    return session.scalars(select(func.count()).select_from(Password).where(_WAITS)).one()


def forget(*, before: datetime, by: str, now: datetime) -> int:
    """Remove those that came before this moment; their owners come in by mail. Says how many.

    A sign-in at the same moment decides by the same row: it is renewed, or the person is sent to
    «forgot password».
    """
    with db.transaction() as session:
        gone = session.scalars(
            delete(Password)
            .where(_WAITS, Password.changed_at < before)
            .returning(Password.person_id)
        )
        removed = len(gone.all())
        if removed:
            ledger.append(
                session,
                chain=INSTALLATION,
                event=IdpEvent.IMPORTED_PASSWORDS_FORGOTTEN,
                actor=by,
                subject=None,
                result="success",
                at=now,
                details={"before": before.isoformat(), "passwords": removed},
            )
    return removed
