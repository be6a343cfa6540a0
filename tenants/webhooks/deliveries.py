"""What is sent to an endpoint, and what was: put down, listed, sent again, forgotten.

Inner functions take the session of the account's own transaction. `sending` carries them out.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import Session

from kernel.ids import new_id
from kernel.outbox import Lane
from kernel.pages import Order, Page, PageRequest, read
from tenants.database import db
from tenants.events import WebhookEvent
from tenants.outbox import outbox
from tenants.webhooks import service
from tenants.webhooks.catalogue import TEST
from tenants.webhooks.models import WebhookDelivery
from tenants.webhooks.service import WebhookNotValid

KIND = "webhook"
"""The kind of the outbox's messages."""

_MOST_REPLAYED = 1_000

_COLUMNS: tuple[Any, ...] = (
    WebhookDelivery.id,
    WebhookDelivery.endpoint_id,
    WebhookDelivery.event_id,
    WebhookDelivery.kind,
    WebhookDelivery.payload,
    WebhookDelivery.state,
    WebhookDelivery.attempts,
    WebhookDelivery.last_status,
    WebhookDelivery.last_error,
    WebhookDelivery.last_tried_at,
    WebhookDelivery.delivered_at,
    WebhookDelivery.created_at,
)

_ORDER = Order("created", (WebhookDelivery.created_at, WebhookDelivery.id), descending=True)


@dataclass(frozen=True)
class DeliverySummary:
    """One event for one endpoint, and what became of it."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    kind: str
    payload: dict[str, Any]
    state: str
    attempts: int
    last_status: int | None
    last_error: str | None
    last_tried_at: datetime | None
    delivered_at: datetime | None
    created_at: datetime


def listed(
    session: Session,
    account: str,
    endpoint_id: UUID,
    *,
    asked: PageRequest,
    state: str | None = None,
) -> Page[DeliverySummary]:
    """What was sent to an endpoint, the newest first; `state`: waiting, delivered or failed."""
    statement: Select[Any] = select(*_COLUMNS).where(
        WebhookDelivery.tenant_id == account, WebhookDelivery.endpoint_id == endpoint_id
    )
    if state is not None:
        statement = statement.where(WebhookDelivery.state == state)
    return read(
        session,
        statement,
        DeliverySummary,
        order=_ORDER,
        asked=asked,
        bound_to=(account, "webhook deliveries", str(endpoint_id), state or ""),
    )


def find(session: Session, account: str, delivery_id: UUID) -> DeliverySummary | None:
    """One of the account's deliveries, with what it says."""
    row = session.execute(
        select(*_COLUMNS).where(
            WebhookDelivery.tenant_id == account, WebhookDelivery.id == delivery_id
        )
    ).one_or_none()
    return DeliverySummary(*row) if row is not None else None


def replay(
    session: Session,
    account: str,
    endpoint_id: UUID,
    *,
    delivery_ids: Collection[UUID] | None = None,
    since: datetime | None = None,
    actor: str,
    now: datetime,
) -> int:
    """Send again: these deliveries, or all that failed since a moment; says how many.

    They keep their `webhook-id`, so that a receiver knows what it has had. What waits is left alone.
    """
    endpoint = service.hold(session, account, endpoint_id)
    if endpoint.disabled_at is not None:
        raise WebhookNotValid("id", "the endpoint is switched off")
    wanted = select(WebhookDelivery.id).where(
        WebhookDelivery.tenant_id == account, WebhookDelivery.endpoint_id == endpoint_id
    )
    if delivery_ids is not None:
        wanted = wanted.where(
            WebhookDelivery.id.in_(delivery_ids), WebhookDelivery.state != "waiting"
        )
    else:
        wanted = wanted.where(
            WebhookDelivery.state == "failed", WebhookDelivery.created_at >= (since or now)
        )
    found = session.scalars(wanted.order_by(WebhookDelivery.created_at).limit(_MOST_REPLAYED)).all()
    session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.tenant_id == account, WebhookDelivery.id.in_(found))
        .values(state="waiting", attempts=0, last_error=None, last_status=None)
    )
    for delivery_id in found:
        _send(session, account, endpoint_id, delivery_id, now)
    if found:
        service.write_down(
            session, account, endpoint_id, WebhookEvent.REPLAYED, actor, now, count=len(found)
        )
    return len(found)


def send_test(
    session: Session, account: str, endpoint_id: UUID, *, actor: str, now: datetime
) -> UUID:
    """Send an event that means nothing, to see whether the address works; gives the delivery's id."""
    service.hold(session, account, endpoint_id)
    service.write_down(session, account, endpoint_id, WebhookEvent.TESTED, actor, now)
    return put(
        session,
        account,
        endpoint_id,
        event_id=new_id(),
        kind=TEST,
        data={"account": account},
        at=now,
        now=now,
    )


def put(
    session: Session,
    account: str,
    endpoint_id: UUID,
    *,
    event_id: UUID,
    kind: str,
    data: dict[str, Any],
    at: datetime,
    now: datetime,
) -> UUID:
    """Write down what an endpoint is to hear, for the worker; gives the delivery's id."""
    delivery_id = new_id()
    session.add(
        WebhookDelivery(
            tenant_id=account,
            id=delivery_id,
            endpoint_id=endpoint_id,
            event_id=event_id,
            kind=kind,
            payload={"type": kind, "timestamp": at.isoformat(), "data": data},
            state="waiting",
            created_at=now,
        )
    )
    session.flush()
    _send(session, account, endpoint_id, delivery_id, now)
    return delivery_id


def _send(
    session: Session, account: str, endpoint_id: UUID, delivery_id: UUID, now: datetime
) -> None:
    """Have a delivery sent. Each endpoint has a queue of its own: no account waits for another."""
    outbox.put(
        session,
        lane=Lane.WEBHOOK,
        kind=KIND,
        destination=f"webhook:{endpoint_id}",
        payload={"account": account, "delivery": str(delivery_id)},
        now=now,
    )


def clean(*, before: datetime, batch: int = 500) -> int:
    """Forget deliveries from before then, of all accounts, a few at a time; says how many."""
    with db.transaction(everywhere=True) as session:
        old = session.execute(
            select(WebhookDelivery.tenant_id, WebhookDelivery.id)
            .where(WebhookDelivery.created_at < before)
            .limit(batch)
        ).all()
        for account in {row.tenant_id for row in old}:
            ids = [row.id for row in old if row.tenant_id == account]
            session.execute(
                delete(WebhookDelivery).where(
                    WebhookDelivery.tenant_id == account, WebhookDelivery.id.in_(ids)
                )
            )
    return len(old)
