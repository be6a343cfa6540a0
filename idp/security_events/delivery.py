"""Sending events to applications (RFC 8935), and the heartbeats by which they know that they hear all."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from idp.clients import service as clients
from idp.clients.service import RegisteredClient
from idp.keys import service as keys
from idp.protocol import jwt
from idp.security_events import events
from idp.security_events.events import Effect, Happened
from idp.security_events.models import SecurityEvent, SecurityFeed
from idp.security_events.service import destination_of, waiting
from idp.settings import current_settings
from kernel import clock
from kernel.database import dialect_of, upsert
from kernel.errors import KlucznikError
from kernel.outbox import Lane, Message, Undeliverable
from kernel.outbox.lanes import CAPACITIES
from kernel.outgoing import Outgoing, OutgoingError, Response
from tenants.database import db
from tenants.facts import service as facts
from tenants.outbox import OutboxMessage, outbox

HEARTBEAT = "security-heartbeat"
_CONTENT_TYPE = "application/secevent+jwt"
_EXTENSION = "klucznik.idp.security_events.outgoing"
# A fact that waits for longer than this is in trouble, and the applications should know.
_HANDLED_WITHIN = timedelta(seconds=3)
# Errors that say that the application is not well, rather than that it will not take the event.
_PASSING = frozenset({"invalid_key", "authentication_failed"})
_MOST_ATTEMPTS = CAPACITIES[Lane.SECURITY].attempts
# Who takes nothing is asked less and less often, but at least so often.
_RAREST_BEAT = timedelta(seconds=60)
_HEARTBEATS_KEPT = timedelta(minutes=1)
_HEARTBEATS_LOOKED_FOR = timedelta(minutes=6)


class NotTaken(KlucznikError):
    """The application did not take it this time."""


def deliver(message: Message) -> None:
    """Send one event; the worker's handler. Raises to be tried again.

    The token is made anew at each attempt; its `jti` is the event's, so that an application can
    tell a repetition.
    """
    event_id = UUID(message.payload["event"])
    with db.reading() as session:
        event = session.get(SecurityEvent, event_id)
        client = clients.find(session, event.client_id) if event is not None else None
    if event is None or event.accepted_at is not None:
        return
    now = clock.now()
    if client is None or client.security_events_uri is None:
        gone = Undeliverable("the client is gone, or hears no events")
        _note_failure(event.client_id, gone, now, event=event)
        raise gone
    happened = Happened(
        id=event.event_id,
        effect=Effect(event.kind),
        version=event.version,
        account=event.account,
        person_id=event.person_id,
        at=event.created_at,
    )
    claims = events.claims(happened, issuer=current_settings().issuer, audience=client.id, now=now)
    try:
        _push(client, claims, now)
    except (NotTaken, Undeliverable, OutgoingError) as failure:
        _note_failure(client.id, failure, now, event=event)
        raise
    _note_success(client.id, now, event_id=event_id)


def deliver_heartbeat(message: Message) -> None:
    """Send one heartbeat; the worker's handler. The next one is not far, so it is not tried again."""
    now = clock.now()
    with db.reading() as session:
        client = clients.find(session, message.payload["client_id"])
        if client is None or client.security_events_uri is None:
            return
        behind = waiting(session, client.id, now=now)
        behind += facts.is_behind(session, since=now - _HANDLED_WITHIN)
    claims = events.heartbeat(
        issuer=current_settings().issuer,
        audience=client.id,
        jti=message.id,
        waiting=behind,
        now=now,
    )
    try:
        _push(client, claims, now)
    except (NotTaken, Undeliverable, OutgoingError) as failure:
        _note_failure(client.id, failure, now)
        return
    _note_success(client.id, now, hasten=behind > 0)


def beat(now: datetime) -> int:
    """Write the heartbeats that are due, whichever worker comes first; says how many."""
    usual = timedelta(seconds=current_settings().security_event_beat_seconds)
    with db.reading() as session:
        hearing = clients.hearing(session)
        feeds = {
            row.client_id: (row.beaten_at, row.failing_since)
            for row in session.execute(
                select(SecurityFeed.client_id, SecurityFeed.beaten_at, SecurityFeed.failing_since)
            )
        }
    late: dict[str, datetime] = {}
    for client_id in hearing:
        beaten_at, failing_since = feeds.get(client_id, (None, None))
        due = now - _every(usual, failing_since, now)
        if beaten_at is None or beaten_at <= due:
            late[client_id] = due
    if not late:
        return 0
    with db.transaction() as session:
        _forget_old_heartbeats(session, now)
        ours = [
            client_id for client_id, due in late.items() if _take_turn(session, client_id, due, now)
        ]
        for client_id in ours:
            outbox.put(
                session,
                lane=Lane.SECURITY,
                kind=HEARTBEAT,
                destination=destination_of(client_id),
                payload={"client_id": client_id},
                now=now,
                expires_at=now + 2 * usual,
            )
    return len(ours)


def _every(usual: timedelta, failing_since: datetime | None, now: datetime) -> timedelta:
    """How often an application is asked: as usual, or less often the longer it takes nothing."""
    if failing_since is None:
        return usual
    return max(usual, min((now - failing_since) / 2, _RAREST_BEAT))


def _take_turn(session: Session, client_id: str, due: datetime, now: datetime) -> bool:
    statement = upsert(dialect_of(session), SecurityFeed).values(client_id=client_id, beaten_at=now)
    turn = session.execute(
        statement.on_conflict_do_update(
            index_elements=[SecurityFeed.client_id],
            set_={"beaten_at": now},
            where=SecurityFeed.beaten_at <= due,
        ).returning(SecurityFeed.client_id)
    )
    return turn.first() is not None


def _forget_old_heartbeats(session: Session, now: datetime) -> None:
    """They are many and say nothing afterwards: the outbox keeps other messages for two weeks."""
    session.execute(
        delete(OutboxMessage).where(
            OutboxMessage.finished_at > now - _HEARTBEATS_LOOKED_FOR,
            OutboxMessage.finished_at < now - _HEARTBEATS_KEPT,
            OutboxMessage.kind == HEARTBEAT,
        )
    )


def _push(client: RegisteredClient, claims: Mapping[str, Any], now: datetime) -> None:
    key = keys.signing_key(client.id_token_signed_response_alg, now=now)
    token = jwt.sign(claims, key, typ=jwt.SECURITY_EVENT)
    answer = _outgoing().post(
        client.security_events_uri or "",
        data=token.encode(),
        headers={"Content-Type": _CONTENT_TYPE, "Accept": "application/json"},
    )
    if answer.status == 400:
        error = _error_of(answer)
        if error not in _PASSING:
            raise Undeliverable(f"refused: {error}")
        raise NotTaken(error)
    # §2.2 wants 202; who says 200 or 204 has taken it as well.
    if not 200 <= answer.status < 300:
        raise NotTaken(f"status {answer.status}")


def _error_of(answer: Response) -> str:
    """The `err` of RFC 8935 §2.4, as far as it is one of its words."""
    try:
        said = answer.json()
    except OutgoingError:
        return "no reason"
    error = said.get("err") if isinstance(said, dict) else None
    known = {
        "invalid_request",
        "invalid_key",
        "invalid_issuer",
        "invalid_audience",
        "authentication_failed",
        "access_denied",
    }
    return error if error in known else "no reason"


def _note_success(
    client_id: str, now: datetime, *, event_id: UUID | None = None, hasten: bool = False
) -> None:
    with db.transaction() as session:
        _update_feed(
            session, client_id, sent_at=now, accepted_at=now, failing_since=None, last_error=None
        )
        if event_id is not None:
            _update_event(session, event_id, sent_at=now, accepted_at=now, last_error=None)
        if hasten:
            outbox.hasten(
                session, lane=Lane.SECURITY, destination=destination_of(client_id), now=now
            )


def _note_failure(
    client_id: str, failure: KlucznikError, now: datetime, *, event: SecurityEvent | None = None
) -> None:
    said = (failure.detail or type(failure).__name__)[:200]
    with db.transaction() as session:
        _update_feed(session, client_id, sent_at=now, last_error=said)
        session.execute(
            update(SecurityFeed)
            .where(SecurityFeed.client_id == client_id, SecurityFeed.failing_since.is_(None))
            .values(failing_since=now)
        )
        if event is not None:
            # After so many attempts it is hours old: what it would have ended, has ended.
            is_over = isinstance(failure, Undeliverable) or event.attempts + 1 >= _MOST_ATTEMPTS
            over = {"refused_at": now} if is_over else {}
            _update_event(session, event.id, sent_at=now, last_error=said, **over)


def _update_feed(session: Session, client_id: str, **values: Any) -> None:
    session.execute(
        upsert(dialect_of(session), SecurityFeed)
        .values(client_id=client_id, beaten_at=values["sent_at"], **values)
        .on_conflict_do_update(index_elements=[SecurityFeed.client_id], set_=values)
    )


def _update_event(session: Session, event_id: UUID, **values: Any) -> None:
    session.execute(
        update(SecurityEvent)
        .where(SecurityEvent.id == event_id)
        .values(**values, attempts=SecurityEvent.attempts + 1)
    )


def _outgoing() -> Outgoing:
    client: Outgoing | None = current_app.extensions.get(_EXTENSION)
    if client is None:
        client = current_app.extensions.setdefault(_EXTENSION, Outgoing(current_settings()))
    return client
