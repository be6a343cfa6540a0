"""Requests to go on without any strong factor: asked, decided, waited for, used once.

One request a person is open at a time. Every change of its state is one conditional statement, so
that of two who act at once one wins. What a request is worth is decided when it is used: an end of
time counts whether anybody wrote it down or not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.credentials.models import LostFactorsRequest
from kernel.crypto import hash_token, new_token
from kernel.ids import new_id

LONGEST_CONTACT = 200
LONGEST_NOTE = 1000
_TOLD_FOR = timedelta(days=14)


class Outcome(StrEnum):
    """How a request ended."""

    REFUSED = "refused"
    STOPPED = "stopped"
    """By the link that was mailed."""
    FOUND = "found"
    """Somebody signed in with one of the factors, so they are not lost."""
    LOCKED = "locked"
    """The ID was locked: somebody said that it was not them."""
    LAPSED = "lapsed"
    USED = "used"


class State(StrEnum):
    """Where a request stands."""

    ASKED = "asked"
    WAITING = "waiting"
    READY = "ready"
    REFUSED = "refused"
    STOPPED = "stopped"
    FOUND = "found"
    LOCKED = "locked"
    LAPSED = "lapsed"
    USED = "used"


@dataclass(frozen=True)
class Request:
    """A request, as the pages and the operator see it."""

    id: UUID
    person_id: UUID
    contact: str
    note: str | None
    address: str | None
    user_agent: str
    asked_at: datetime
    expires_at: datetime
    approved_at: datetime | None
    ready_at: datetime | None
    decided_by: str | None
    proof: str | None
    reason: str | None
    ended_at: datetime | None
    outcome: str | None

    def state(self, now: datetime) -> State:
        if self.outcome is not None:
            return State(self.outcome)
        if self.expires_at <= now:
            return State.LAPSED
        if self.ready_at is None:
            return State.ASKED
        return State.WAITING if self.ready_at > now else State.READY

    def is_news(self, now: datetime) -> bool:
        """Whether the person should be told where it stands: open, or ended without them lately."""
        silent = {State.FOUND, State.USED}
        over_since = self.ended_at or self.expires_at
        return self.is_open(now) or (self.state(now) not in silent and now - over_since < _TOLD_FOR)

    def is_open(self, now: datetime) -> bool:
        return self.state(now) in {State.ASKED, State.WAITING, State.READY}


def ask(
    session: Session,
    *,
    person_id: UUID,
    contact: str,
    note: str | None,
    address: str | None,
    user_agent: str,
    expires_at: datetime,
    now: datetime,
) -> tuple[UUID, str] | None:
    """A new request and the token that stops it, or None where one is open already."""
    session.execute(
        update(LostFactorsRequest)
        .where(
            LostFactorsRequest.person_id == person_id,
            LostFactorsRequest.ended_at.is_(None),
            LostFactorsRequest.expires_at <= now,
        )
        .values(ended_at=LostFactorsRequest.expires_at, outcome=Outcome.LAPSED)
    )
    token, request_id = new_token(), new_id()
    try:
        with session.begin_nested():
            session.add(
                LostFactorsRequest(
                    id=request_id,
                    person_id=person_id,
                    contact=contact,
                    note=note,
                    address=address,
                    user_agent=user_agent,
                    stop_token_hash=hash_token(token),
                    asked_at=now,
                    expires_at=expires_at,
                )
            )
    except IntegrityError:
        return None
    return request_id, token


def approve(
    session: Session,
    request_id: UUID,
    *,
    by: str,
    proof: str,
    ready_at: datetime,
    expires_at: datetime,
    now: datetime,
) -> str | None:
    """Let a request be used from `ready_at` on; gives a fresh token that stops it.

    None when somebody decided or ended it before.
    """
    token = new_token()
    approved = session.execute(
        update(LostFactorsRequest)
        .where(
            LostFactorsRequest.id == request_id,
            LostFactorsRequest.approved_at.is_(None),
            _is_open(now),
        )
        .values(
            approved_at=now,
            ready_at=ready_at,
            expires_at=expires_at,
            decided_by=by,
            proof=proof,
            stop_token_hash=hash_token(token),
        )
        .returning(LostFactorsRequest.id)
    )
    return token if approved.first() is not None else None


def refuse(session: Session, request_id: UUID, *, by: str, reason: str, now: datetime) -> bool:
    """End a request, also one that was approved and waits; False when it is over already."""
    refused = session.execute(
        update(LostFactorsRequest)
        .where(LostFactorsRequest.id == request_id, _is_open(now))
        .values(ended_at=now, outcome=Outcome.REFUSED, decided_by=by, reason=reason)
        .returning(LostFactorsRequest.id)
    )
    return refused.first() is not None


def stop(session: Session, token: str, *, now: datetime) -> UUID | None:
    """End a request by its mailed link; gives whose it was, or None when the link is spent."""
    return session.execute(
        update(LostFactorsRequest)
        .where(LostFactorsRequest.stop_token_hash == hash_token(token), _is_open(now))
        .values(ended_at=now, outcome=Outcome.STOPPED)
        .returning(LostFactorsRequest.person_id)
    ).scalar_one_or_none()


def can_stop(session: Session, token: str, *, now: datetime) -> bool:
    """Whether a mailed link would stop something; looking changes nothing."""
    found = session.execute(
        select(LostFactorsRequest.id).where(
            LostFactorsRequest.stop_token_hash == hash_token(token), _is_open(now)
        )
    )
    return found.first() is not None


def end(session: Session, *, person_id: UUID, outcome: Outcome, now: datetime) -> UUID | None:
    """End whatever request of this person is open; gives it, or None when there was none."""
    return session.execute(
        update(LostFactorsRequest)
        .where(LostFactorsRequest.person_id == person_id, _is_open(now))
        .values(ended_at=now, outcome=outcome)
        .returning(LostFactorsRequest.id)
    ).scalar_one_or_none()


def use(session: Session, *, person_id: UUID, now: datetime) -> UUID | None:
    """Spend an approved request whose waiting time is over; None where there is none."""
    return session.execute(
        update(LostFactorsRequest)
        .where(
            LostFactorsRequest.person_id == person_id,
            LostFactorsRequest.ready_at <= now,
            _is_open(now),
        )
        .values(ended_at=now, outcome=Outcome.USED)
        .returning(LostFactorsRequest.id)
    ).scalar_one_or_none()


def latest(session: Session, *, person_id: UUID) -> Request | None:
    """The newest request of this person, in whatever state."""
    row = session.execute(
        select(*_COLUMNS)
        .where(LostFactorsRequest.person_id == person_id)
        .order_by(LostFactorsRequest.asked_at.desc(), LostFactorsRequest.id.desc())
        .limit(1)
    ).one_or_none()
    return _request(row) if row is not None else None


def find(session: Session, request_id: UUID) -> Request | None:
    """One request."""
    row = session.execute(
        select(*_COLUMNS).where(LostFactorsRequest.id == request_id)
    ).one_or_none()
    return _request(row) if row is not None else None


def listed(session: Session, *, now: datetime, also_ended: bool, limit: int) -> list[Request]:
    """Requests for the operator: oldest first those that are open, or the newest of all."""
    statement = select(*_COLUMNS)
    if also_ended:
        statement = statement.order_by(LostFactorsRequest.asked_at.desc())
    else:
        statement = statement.where(_is_open(now)).order_by(LostFactorsRequest.asked_at)
    return [_request(row) for row in session.execute(statement.limit(limit))]


def is_over_since(moment: datetime) -> ColumnElement[bool]:
    """The condition under which a request has meant nothing since then; for the cleaning."""
    return or_(
        LostFactorsRequest.ended_at < moment,
        and_(LostFactorsRequest.ended_at.is_(None), LostFactorsRequest.expires_at < moment),
    )


def _request(row: Row[*tuple[Any, ...]]) -> Request:
    return Request(**row._mapping)


def _is_open(now: datetime) -> ColumnElement[bool]:
    return and_(LostFactorsRequest.ended_at.is_(None), LostFactorsRequest.expires_at > now)


_COLUMNS = (
    LostFactorsRequest.id,
    LostFactorsRequest.person_id,
    LostFactorsRequest.contact,
    LostFactorsRequest.note,
    LostFactorsRequest.address,
    LostFactorsRequest.user_agent,
    LostFactorsRequest.asked_at,
    LostFactorsRequest.expires_at,
    LostFactorsRequest.approved_at,
    LostFactorsRequest.ready_at,
    LostFactorsRequest.decided_by,
    LostFactorsRequest.proof,
    LostFactorsRequest.reason,
    LostFactorsRequest.ended_at,
    LostFactorsRequest.outcome,
)
