"""Turning facts into events for the applications that they concern, and showing what became of those."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from idp.clients import service as clients
from idp.grants import holders
from idp.security_events.events import EFFECTS
from idp.security_events.models import SecurityEvent, SecurityFeed
from kernel.ids import new_id
from kernel.outbox import Lane
from tenants.database import db
from tenants.facts.service import FactSummary, Kind
from tenants.outbox import outbox

KIND = "security-event"
"""The kind of the outbox's messages."""

_OF_ONE_APPLICATION = frozenset({Kind.ACCOUNT_APPLICATION_GIVEN, Kind.ACCOUNT_APPLICATION_TAKEN})
"""That application hears of it, also while nobody uses it in the account; no other does."""

WORTH_TELLING = timedelta(hours=24)
"""Later than that, whatever an application held has ended by itself."""


@dataclass(frozen=True)
class Feed:
    """How an application takes what is sent to it."""

    client_id: str
    sent_at: datetime | None
    accepted_at: datetime | None
    failing_since: datetime | None
    last_error: str | None
    waiting: int


@dataclass(frozen=True)
class Delivery:
    """What became of one event for one application."""

    id: UUID
    event_id: UUID
    kind: str
    account: str | None
    person_id: UUID | None
    created_at: datetime
    attempts: int
    sent_at: datetime | None
    accepted_at: datetime | None
    refused_at: datetime | None
    last_error: str | None


def announce(session: Session, facts: Sequence[FactSummary], *, now: datetime) -> int:
    """Have these facts told to the applications that hold something they change; says how many."""
    concerning = [fact for fact in facts if fact.kind in EFFECTS]
    hearing = clients.hearing(session) if concerning else []
    if not hearing:
        return 0
    people = {fact.person_id for fact in concerning if fact.person_id is not None}
    accounts = {fact.account for fact in concerning if fact.person_id is None and fact.account}
    of_people = holders.of_people(session, people, hearing, now=now) if people else set()
    in_accounts = holders.in_accounts(session, accounts, hearing, now=now) if accounts else set()
    everywhere = {(person_id, client_id) for person_id, client_id, _ in of_people}
    given_or_taken = [fact for fact in concerning if fact.kind in _OF_ONE_APPLICATION]
    belonging = clients.belonging(session, hearing) if given_or_taken else {}
    ours = {one for one in hearing if _is_ours(session, one)}
    count = 0
    for fact in concerning:
        for client_id in hearing:
            if fact.kind in _OF_ONE_APPLICATION:
                # Which applications an account has is not for the others to know.
                is_concerned = belonging.get(client_id) == fact.details["application"]
            elif fact.person_id is None:
                is_concerned = (fact.account, client_id) in in_accounts
            elif fact.account is None or client_id in ours:
                is_concerned = (fact.person_id, client_id) in everywhere
            else:
                # Others don't learn in which accounts somebody works without them.
                is_concerned = (fact.person_id, client_id, fact.account) in of_people
            if is_concerned:
                _put(session, fact, client_id, now)
                count += 1
    return count


def destination_of(client_id: str) -> str:
    """The queue of an application's events: none waits for another's."""
    return f"events:{client_id}"


def waiting(session: Session, client_id: str, *, now: datetime) -> int:
    """How many events the application was not told of yet."""
    return session.execute(
        select(func.count())
        .select_from(SecurityEvent)
        .where(
            SecurityEvent.client_id == client_id,
            SecurityEvent.accepted_at.is_(None),
            SecurityEvent.refused_at.is_(None),
            SecurityEvent.created_at > now - WORTH_TELLING,
        )
    ).scalar_one()


def feed(session: Session, client_id: str, *, now: datetime) -> Feed | None:
    """How it goes with an application; None for one that was never sent anything."""
    row = session.get(SecurityFeed, client_id)
    if row is None:
        return None
    return Feed(
        client_id=client_id,
        sent_at=row.sent_at,
        accepted_at=row.accepted_at,
        failing_since=row.failing_since,
        last_error=row.last_error,
        waiting=waiting(session, client_id, now=now),
    )


def deliveries(session: Session, client_id: str, *, limit: int = 50) -> list[Delivery]:
    """The newest events for an application, and what became of each."""
    columns = [getattr(SecurityEvent, name) for name in Delivery.__dataclass_fields__]
    rows = session.execute(
        select(*columns)
        .where(SecurityEvent.client_id == client_id)
        .order_by(SecurityEvent.created_at.desc(), SecurityEvent.id.desc())
        .limit(limit)
    )
    return [Delivery(**row) for row in rows.mappings()]


def clean(*, before: datetime, batch: int = 500) -> int:
    """Forget events from before then, a few at a time; says how many."""
    old = select(SecurityEvent.id).where(SecurityEvent.created_at < before).limit(batch)
    with db.transaction() as session:
        removed = session.execute(
            delete(SecurityEvent).where(SecurityEvent.id.in_(old)).returning(SecurityEvent.id)
        ).all()
    return len(removed)


def _is_ours(session: Session, client_id: str) -> bool:
    client = clients.find(session, client_id)
    return client is not None and client.first_party


def _put(session: Session, fact: FactSummary, client_id: str, now: datetime) -> None:
    event = SecurityEvent(
        id=new_id(),
        client_id=client_id,
        event_id=fact.id,
        version=fact.number,
        kind=EFFECTS[fact.kind],
        account=fact.account,
        person_id=fact.person_id,
        created_at=fact.at,
    )
    session.add(event)
    session.flush()
    outbox.put(
        session,
        lane=Lane.SECURITY,
        kind=KIND,
        destination=destination_of(client_id),
        payload={"event": str(event.id)},
        now=now,
        expires_at=now + WORTH_TELLING,
    )
