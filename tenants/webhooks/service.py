"""The endpoints of an account's webhooks, and what was sent to them.

Inner functions take the session of the account's own transaction. A secret is shown when it is made,
and never again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, Table, delete, func, select, update
from sqlalchemy.orm import Session

from kernel import program
from kernel.crypto import Vault
from kernel.errors import NotFound, Refused, VersionConflict
from kernel.ids import new_id
from kernel.outbox import Lane
from kernel.outgoing import Outgoing, OutgoingError
from kernel.pages import Order, Page, PageRequest, read
from kernel.resealing import SealedColumn
from kernel.settings import Settings
from tenants.accounts import service as accounts
from tenants.audit import record
from tenants.database import db
from tenants.events import WebhookEvent
from tenants.facts.service import Kind
from tenants.outbox import outbox
from tenants.webhooks.catalogue import EXPLAINED, TEST
from tenants.webhooks.models import WebhookDelivery, WebhookEndpoint
from tenants.webhooks.signing import new_secret

KIND = "webhook"
"""The kind of the outbox's messages."""

MOST_ENDPOINTS = 20
USUAL_OVERLAP = timedelta(days=1)
LONGEST_OVERLAP = timedelta(days=7)
_MOST_REPLAYED = 1_000

_ENDPOINTS = cast(Table, WebhookEndpoint.__table__)
_ENDPOINT_COLUMNS: tuple[Any, ...] = (
    WebhookEndpoint.id,
    WebhookEndpoint.url,
    WebhookEndpoint.description,
    WebhookEndpoint.events,
    WebhookEndpoint.previous_until,
    WebhookEndpoint.failing_since,
    WebhookEndpoint.disabled_at,
    WebhookEndpoint.disabled_for,
    WebhookEndpoint.created_by,
    WebhookEndpoint.version,
    WebhookEndpoint.created_at,
    WebhookEndpoint.updated_at,
)
_DELIVERY_COLUMNS: tuple[Any, ...] = (
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
_ENDPOINT_ORDER = Order("created", (WebhookEndpoint.created_at, WebhookEndpoint.id))
_DELIVERY_ORDER = Order(
    "created", (WebhookDelivery.created_at, WebhookDelivery.id), descending=True
)


class WebhookNotValid(Refused):
    """The endpoint can't be like this; `field` says where, the detail why."""

    status = 422
    reason = "webhook_refused"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field


@dataclass(frozen=True)
class EndpointSummary:
    """An endpoint as its account sees it: never with its secret."""

    id: UUID
    url: str
    description: str
    events: list[str]
    """Which kinds it hears of; empty: all."""
    previous_until: datetime | None
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_for: str | None
    created_by: str
    version: int
    created_at: datetime
    updated_at: datetime


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


def create(
    session: Session,
    account: str,
    *,
    url: str,
    description: str = "",
    events: Collection[str] = (),
    actor: str,
    now: datetime,
) -> tuple[EndpointSummary, str]:
    """A new endpoint and its secret, which is shown this once; raises WebhookNotValid, NotFound."""
    accounts.hold(session, account)
    count = session.execute(
        select(func.count()).where(WebhookEndpoint.tenant_id == account)
    ).scalar_one()
    if count >= MOST_ENDPOINTS:
        raise WebhookNotValid("url", f"an account has {MOST_ENDPOINTS} at most")
    checked = _checked(url=url, description=description, events=events)
    endpoint_id, secret = new_id(), new_secret()
    session.add(
        WebhookEndpoint(
            tenant_id=account,
            id=endpoint_id,
            secret_sealed=_seal(account, endpoint_id, secret),
            created_by=actor,
            created_at=now,
            updated_at=now,
            **checked,
        )
    )
    session.flush()
    _record(session, account, endpoint_id, WebhookEvent.CREATED, actor, now, url=url)
    return _sure(session, account, endpoint_id), secret


def find(session: Session, account: str, endpoint_id: UUID) -> EndpointSummary | None:
    """The account's endpoint with this id."""
    row = session.execute(_by_id(account, endpoint_id)).one_or_none()
    return EndpointSummary(*row) if row is not None else None


def listed(session: Session, account: str, *, asked: PageRequest) -> Page[EndpointSummary]:
    """The account's endpoints, the oldest first."""
    return read(
        session,
        select(*_ENDPOINT_COLUMNS).where(WebhookEndpoint.tenant_id == account),
        EndpointSummary,
        order=_ENDPOINT_ORDER,
        asked=asked,
        bound_to=(account, "webhooks"),
    )


def change(
    session: Session,
    account: str,
    endpoint_id: UUID,
    *,
    version: int | None,
    actor: str,
    now: datetime,
    **values: Any,
) -> EndpointSummary:
    """Change `url`, `description`, `events`; raises NotFound, WebhookNotValid, VersionConflict."""
    before = _held(session, account, endpoint_id, version)
    checked = _checked(**values)
    changed = {name: value for name, value in checked.items() if getattr(before, name) != value}
    if not changed:
        return before
    _update(session, account, endpoint_id, now, **changed)
    fields = sorted(changed)
    _record(session, account, endpoint_id, WebhookEvent.CHANGED, actor, now, fields=fields)
    return _sure(session, account, endpoint_id)


def rotate_secret(
    session: Session,
    account: str,
    endpoint_id: UUID,
    *,
    actor: str,
    now: datetime,
    overlap: timedelta = USUAL_OVERLAP,
) -> str:
    """A new secret. Until the overlap ends everything is signed with the one before as well."""
    _held(session, account, endpoint_id, None)
    old = session.execute(
        select(WebhookEndpoint.secret_sealed).where(
            WebhookEndpoint.tenant_id == account, WebhookEndpoint.id == endpoint_id
        )
    ).scalar_one()
    secret = new_secret()
    _update(
        session,
        account,
        endpoint_id,
        now,
        secret_sealed=_seal(account, endpoint_id, secret),
        previous_secret_sealed=old,
        previous_until=now + min(max(overlap, timedelta(0)), LONGEST_OVERLAP),
    )
    _record(session, account, endpoint_id, WebhookEvent.SECRET_ROTATED, actor, now)
    return secret


def disable(
    session: Session, account: str, endpoint_id: UUID, *, actor: str, now: datetime
) -> EndpointSummary:
    """Send nothing there any more; what is noted meanwhile is not sent later."""
    if _held(session, account, endpoint_id, None).disabled_at is None:
        switch_off(session, account, endpoint_id, why="person", actor=actor, now=now)
    return _sure(session, account, endpoint_id)


def switch_off(
    session: Session, account: str, endpoint_id: UUID, *, why: str, actor: str, now: datetime
) -> None:
    """The same for whoever holds the endpoint already; `why` is `person`, `failing` or `gone`."""
    _update(session, account, endpoint_id, now, disabled_at=now, disabled_for=why)
    _record(session, account, endpoint_id, WebhookEvent.DISABLED, actor, now, why=why)


def enable(
    session: Session, account: str, endpoint_id: UUID, *, actor: str, now: datetime
) -> EndpointSummary:
    """Send there again, from now on."""
    if _held(session, account, endpoint_id, None).disabled_at is not None:
        on = {"disabled_at": None, "disabled_for": None, "failing_since": None}
        _update(session, account, endpoint_id, now, **on)
        _record(session, account, endpoint_id, WebhookEvent.ENABLED, actor, now)
    return _sure(session, account, endpoint_id)


def remove(
    session: Session,
    account: str,
    endpoint_id: UUID,
    *,
    version: int | None,
    actor: str,
    now: datetime,
) -> None:
    """Forget an endpoint with its deliveries; raises NotFound, VersionConflict."""
    before = _held(session, account, endpoint_id, version)
    session.execute(
        delete(WebhookEndpoint).where(
            WebhookEndpoint.tenant_id == account, WebhookEndpoint.id == endpoint_id
        )
    )
    _record(session, account, endpoint_id, WebhookEvent.REMOVED, actor, now, url=before.url)


def deliveries(
    session: Session,
    account: str,
    endpoint_id: UUID,
    *,
    asked: PageRequest,
    state: str | None = None,
) -> Page[DeliverySummary]:
    """What was sent to an endpoint, the newest first; `state`: waiting, delivered or failed."""
    statement: Select[Any] = select(*_DELIVERY_COLUMNS).where(
        WebhookDelivery.tenant_id == account, WebhookDelivery.endpoint_id == endpoint_id
    )
    if state is not None:
        statement = statement.where(WebhookDelivery.state == state)
    return read(
        session,
        statement,
        DeliverySummary,
        order=_DELIVERY_ORDER,
        asked=asked,
        bound_to=(account, "webhook deliveries", str(endpoint_id), state or ""),
    )


def delivery(session: Session, account: str, delivery_id: UUID) -> DeliverySummary | None:
    """One of the account's deliveries, with what it says."""
    row = session.execute(
        select(*_DELIVERY_COLUMNS).where(
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
    endpoint = _held(session, account, endpoint_id, None)
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
        send(session, account, endpoint_id, delivery_id, now)
    if found:
        _record(session, account, endpoint_id, WebhookEvent.REPLAYED, actor, now, count=len(found))
    return len(found)


def send_test(
    session: Session, account: str, endpoint_id: UUID, *, actor: str, now: datetime
) -> UUID:
    """Send an event that means nothing, to see whether the address works; gives the delivery's id."""
    _held(session, account, endpoint_id, None)
    _record(session, account, endpoint_id, WebhookEvent.TESTED, actor, now)
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
    send(session, account, endpoint_id, delivery_id, now)
    return delivery_id


def send(
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


def secrets_of(session: Session, account: str, endpoint_id: UUID, *, now: datetime) -> list[str]:
    """What to sign with: the newest first, the one before until its overlap ends."""
    row = session.execute(
        select(
            WebhookEndpoint.secret_sealed,
            WebhookEndpoint.previous_secret_sealed,
            WebhookEndpoint.previous_until,
        ).where(WebhookEndpoint.tenant_id == account, WebhookEndpoint.id == endpoint_id)
    ).one()
    both = row.previous_until is not None and row.previous_until > now
    sealed = [row.secret_sealed, *([row.previous_secret_sealed] if both else [])]
    context = _context(account, endpoint_id)
    return [_vault().open(each, context=context).decode() for each in sealed]


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


def sealed() -> tuple[SealedColumn, ...]:
    """The secrets, for `kernel.resealing`."""
    return tuple(
        SealedColumn(
            what="secrets of webhooks",
            column=_ENDPOINTS.c[name],
            key=_ENDPOINTS.c.id,
            context=lambda row: _context(row.tenant_id, row.key),
            needs=(_ENDPOINTS.c.tenant_id,),
        )
        for name in ("secret_sealed", "previous_secret_sealed")
    )


def _checked(**values: Any) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for name, value in values.items():
        match name:
            case "url":
                checked[name] = _checked_url(value)
            case "description":
                checked[name] = _checked_description(value)
            case "events":
                checked[name] = _checked_events(value)
            case _:
                raise WebhookNotValid(name, "can't be set")
    return checked


def _checked_url(url: str) -> str:
    try:
        Outgoing(_settings()).check(url)
    except OutgoingError as refusal:
        raise WebhookNotValid("url", refusal.detail) from refusal
    return url


def _checked_description(text: str) -> str:
    if len(text) > 200 or not text.isprintable():
        raise WebhookNotValid("description", "not one line of at most 200 characters")
    return text.strip()


def _checked_events(events: Sequence[str] | Collection[str]) -> list[str]:
    known = {kind.value for kind in EXPLAINED}
    unknown = sorted(set(events) - known)
    if unknown:
        raise WebhookNotValid("events", f"no such event: {unknown[0][:64]}")
    return [kind.value for kind in Kind if kind.value in set(events)]


def _held(
    session: Session, account: str, endpoint_id: UUID, version: int | None
) -> EndpointSummary:
    """The endpoint, kept as it is until this transaction ends."""
    row = session.execute(_by_id(account, endpoint_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("no such webhook")
    found = EndpointSummary(*row)
    if version is not None and version != found.version:
        raise VersionConflict(f"the webhook is at version {found.version}")
    return found


def _update(
    session: Session, account: str, endpoint_id: UUID, now: datetime, **values: Any
) -> None:
    session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.tenant_id == account, WebhookEndpoint.id == endpoint_id)
        .values(**values, version=WebhookEndpoint.version + 1, updated_at=now)
    )


def _by_id(account: str, endpoint_id: UUID) -> Select[Any]:
    return select(*_ENDPOINT_COLUMNS).where(
        WebhookEndpoint.tenant_id == account, WebhookEndpoint.id == endpoint_id
    )


def _sure(session: Session, account: str, endpoint_id: UUID) -> EndpointSummary:
    return EndpointSummary(*session.execute(_by_id(account, endpoint_id)).one())


def _record(
    session: Session,
    account: str,
    endpoint_id: UUID,
    event: WebhookEvent,
    actor: str,
    now: datetime,
    **details: Any,
) -> None:
    record(
        session,
        account=account,
        event=event,
        actor=actor,
        subject=f"webhook:{endpoint_id}",
        now=now,
        details=details,
    )


def _seal(account: str, endpoint_id: UUID, secret: str) -> bytes:
    return _vault().seal(secret.encode(), context=_context(account, endpoint_id))


def _context(account: str, endpoint_id: UUID) -> str:
    return f"webhook:{account}:{endpoint_id}"


def _vault() -> Vault:
    return _settings().vault()


def _settings() -> Settings:
    settings: Settings = program.extensions()["klucznik.settings"]
    return settings
