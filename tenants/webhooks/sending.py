"""Sending deliveries to endpoints, and writing down what became of them."""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy import update

from kernel import clock
from kernel.errors import KlucznikError, NotFound
from kernel.observability.logs import get_logger
from kernel.outbox import Lane, Message, Undeliverable
from kernel.outbox.lanes import CAPACITIES
from kernel.outgoing import Outgoing, OutgoingError, OutgoingNowhere, OutgoingRefused
from tenants.database import db
from tenants.webhooks import deliveries
from tenants.webhooks import service as webhooks
from tenants.webhooks.deliveries import DeliverySummary
from tenants.webhooks.models import WebhookDelivery, WebhookEndpoint
from tenants.webhooks.service import EndpointSummary
from tenants.webhooks.signing import headers

log = get_logger(__name__)

# What an account reads of a delivery that was not taken. The log of the program says more.
NO_PUBLIC_ADDRESS = "no_public_address"
NO_ANSWER = "no_answer"
SWITCHED_OFF = "switched_off"

_EXTENSION = "klucznik.tenants.webhooks.outgoing"
_NOBODY = "system"
# An endpoint that took nothing for so long is switched off.
_PATIENCE = timedelta(days=5)
_GONE = 410


class NotTaken(KlucznikError):
    """The endpoint did not take it this time."""


@dataclass(frozen=True)
class _Outcome:
    """What an attempt came to."""

    is_taken: bool
    status: int | None = None
    error: str | None = None
    is_hopeless: bool = False
    is_gone: bool = False


def deliver(message: Message) -> None:
    """Send one delivery; the worker's handler. Raises to be tried again."""
    account, delivery_id = message.payload["account"], UUID(message.payload["delivery"])
    now = clock.now()
    with db.reading(tenant=account) as session:
        delivery = deliveries.find(session, account, delivery_id)
        endpoint = webhooks.find(session, account, delivery.endpoint_id) if delivery else None
        secrets = webhooks.secrets_of(session, account, endpoint.id, now=now) if endpoint else []
    if delivery is None or endpoint is None:
        raise Undeliverable("the endpoint is gone")
    if delivery.state != "waiting":
        return
    if endpoint.disabled_at is not None:
        outcome = _Outcome(False, error=SWITCHED_OFF, is_hopeless=True)
    else:
        outcome = _attempt(delivery, endpoint, secrets, now)
    _write_down(account, delivery, endpoint, outcome, now)
    if outcome.is_hopeless or outcome.is_gone:
        raise Undeliverable(outcome.error or "")
    if not outcome.is_taken:
        raise NotTaken(outcome.error or "")


def _attempt(
    delivery: DeliverySummary, endpoint: EndpointSummary, secrets: list[str], now: datetime
) -> _Outcome:
    body = json.dumps(delivery.payload, sort_keys=True, separators=(",", ":")).encode()
    signed = headers(str(delivery.event_id), body, with_secrets=secrets, now=now)
    try:
        answer = _outgoing().post(
            endpoint.url, data=body, headers={"Content-Type": "application/json", **signed}
        )
    except (OutgoingRefused, OutgoingNowhere) as failure:
        # A name that is known inside and one that nobody knows look alike, and are tried alike: else the
        # log of deliveries would tell which hosts there are behind our walls.
        return _not_sent(endpoint, NO_PUBLIC_ADDRESS, failure)
    except OutgoingError as failure:
        return _not_sent(endpoint, NO_ANSWER, failure)
    if 200 <= answer.status < 300:
        return _Outcome(True, answer.status)
    return _Outcome(False, answer.status, f"status_{answer.status}", is_gone=answer.status == _GONE)


def _not_sent(endpoint: EndpointSummary, error: str, failure: OutgoingError) -> _Outcome:
    log.warning(
        "webhook_not_sent",
        endpoint=str(endpoint.id),
        kind=type(failure).__name__,
        error=failure.detail,
    )
    return _Outcome(False, error=error)


def _write_down(
    account: str,
    delivery: DeliverySummary,
    endpoint: EndpointSummary,
    outcome: _Outcome,
    now: datetime,
) -> None:
    attempts = delivery.attempts + 1
    is_last = attempts >= CAPACITIES[Lane.WEBHOOK].attempts
    is_over = outcome.is_hopeless or outcome.is_gone or is_last
    values: dict[str, Any] = {
        "state": "delivered" if outcome.is_taken else "failed" if is_over else "waiting",
        "attempts": attempts,
        "last_status": outcome.status,
        "last_error": outcome.error,
        "last_tried_at": now,
    }
    if outcome.is_taken:
        values["delivered_at"] = now
    # Whoever removes an endpoint removes its deliveries: then there is nothing to write down.
    with suppress(NotFound), db.transaction(tenant=account) as session:
        # As it is by now: two may fail at once, and it is switched off once.
        endpoint = webhooks.hold(session, account, endpoint.id)
        failing_since = None if outcome.is_taken else endpoint.failing_since or now
        session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.tenant_id == account, WebhookDelivery.id == delivery.id)
            .values(**values)
        )
        session.execute(
            update(WebhookEndpoint)
            .where(WebhookEndpoint.tenant_id == account, WebhookEndpoint.id == endpoint.id)
            .values(failing_since=failing_since)
        )
        why = _why_switch_off(endpoint, outcome, failing_since, now)
        if why is not None:
            webhooks.switch_off(session, account, endpoint.id, why=why, actor=_NOBODY, now=now)


def _why_switch_off(
    endpoint: EndpointSummary, outcome: _Outcome, failing_since: datetime | None, now: datetime
) -> str | None:
    if endpoint.disabled_at is not None:
        return None
    if outcome.is_gone:
        return "gone"
    if failing_since is not None and now - failing_since >= _PATIENCE:
        return "failing"
    return None


def _outgoing() -> Outgoing:
    client: Outgoing | None = current_app.extensions.get(_EXTENSION)
    if client is None:
        settings = current_app.extensions["klucznik.settings"]
        client = current_app.extensions.setdefault(_EXTENSION, Outgoing(settings))
    return client
