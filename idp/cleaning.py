"""Rows that mean nothing any more are removed, a few at a time. No rule depends on it."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, not_, or_, select

from idp.credentials import lost_factors
from idp.credentials.email_code import Purpose
from idp.credentials.models import EmailCode, LostFactorsRequest, MailedLink, PasskeyChallenge
from idp.flows.models import Flow
from idp.not_me.models import NotMeLink
from kernel.jobs import Job, until_done
from tenants.database import Base, db

_BATCH = 500
_KEPT = timedelta(days=1)
# Whoever opens an old welcome link is still offered a new one.
_WELCOME_KEPT = timedelta(days=90)
# What was asked for and how one is reached; that it happened stays in the audit trail.
_REQUESTS_KEPT = timedelta(days=90)


def clean(now: datetime) -> int:
    """Remove flows, codes and links that have long been over; says how many."""
    # Codes go with their flow.
    return sum(
        until_done(partial(_remove, model, is_over), batch=_BATCH)
        for model, is_over in (
            (EmailCode, EmailCode.expires_at < now - _KEPT),
            (PasskeyChallenge, PasskeyChallenge.expires_at < now - _KEPT),
            (MailedLink, _is_over(now)),
            (NotMeLink, NotMeLink.expires_at < now - _KEPT),
            (LostFactorsRequest, lost_factors.is_over_since(now - _REQUESTS_KEPT)),
            (Flow, Flow.expires_at < now - _KEPT),
        )
    )


def _is_over(now: datetime) -> ColumnElement[bool]:
    is_welcome = MailedLink.purpose == Purpose.WELCOME
    return or_(
        and_(MailedLink.expires_at < now - _KEPT, not_(is_welcome)),
        MailedLink.expires_at < now - _WELCOME_KEPT,
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
