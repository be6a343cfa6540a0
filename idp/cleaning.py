"""Rows that mean nothing any more are removed, a few at a time. No rule depends on it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select

from idp.credentials.models import EmailCode, MailedLink
from idp.flows.models import Flow
from kernel.jobs import Job
from tenants.database import Base, db

_BATCH = 500
_KEPT = timedelta(days=1)


def clean(now: datetime) -> int:
    """Remove flows, codes and links that have been over for a day; says how many."""
    # Codes go with their flow.
    return sum(
        _remove(model, ended_at < now - _KEPT)
        for model, ended_at in (
            (EmailCode, EmailCode.expires_at),
            (MailedLink, MailedLink.expires_at),
            (Flow, Flow.expires_at),
        )
    )


def _remove(model: type[Base], is_over: ColumnElement[bool]) -> int:
    key: Any = getattr(model, "id")  # noqa: B009 (the base has none)
    with db.reading() as session:
        keys = session.scalars(select(key).where(is_over).limit(_BATCH)).all()
    if not keys:
        return 0
    with db.transaction() as session:
        session.execute(delete(model).where(key.in_(keys)))
    return len(keys)


JOBS = (Job("clean-flows", timedelta(minutes=10), clean),)
