"""Which applications hold something of a person, or work in an account."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from idp.grants.models import Grant

# A grant that ended a moment ago may have left an access token behind.
_AFTERGLOW = timedelta(minutes=15)


def of_people(
    session: Session, person_ids: Collection[UUID], client_ids: Collection[str], *, now: datetime
) -> set[tuple[UUID, str, str | None]]:
    """Of these people and applications, those that belong together, and in which accounts."""
    rows = session.execute(
        select(Grant.person_id, Grant.client_id, Grant.account)
        .where(Grant.person_id.in_(person_ids), Grant.client_id.in_(client_ids), _may_be_alive(now))
        .distinct()
    )
    return {(row.person_id, row.client_id, row.account) for row in rows}


def in_accounts(
    session: Session, accounts: Collection[str], client_ids: Collection[str], *, now: datetime
) -> set[tuple[str, str]]:
    """Of these accounts and applications, those in which somebody uses the application."""
    rows = session.execute(
        select(Grant.account, Grant.client_id)
        .where(
            Grant.account.is_not(None),
            Grant.account.in_(accounts),
            Grant.client_id.in_(client_ids),
            _may_be_alive(now),
        )
        .distinct()
    )
    return {(row.account, row.client_id) for row in rows}


def _may_be_alive(now: datetime) -> ColumnElement[bool]:
    return (Grant.kept_until > now) & (
        Grant.revoked_at.is_(None) | (Grant.revoked_at > now - _AFTERGLOW)
    )
