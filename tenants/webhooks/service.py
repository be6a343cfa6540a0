"""The endpoints of an account's webhooks: added, changed, switched off and on, removed.

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
from kernel.outgoing import Outgoing, OutgoingError
from kernel.pages import Order, Page, PageRequest, read
from kernel.resealing import SealedColumn
from kernel.settings import Settings
from tenants.accounts import service as accounts
from tenants.audit import record
from tenants.events import WebhookEvent
from tenants.facts.service import Kind, note
from tenants.webhooks.catalogue import EXPLAINED
from tenants.webhooks.models import WebhookEndpoint
from tenants.webhooks.signing import new_secret

MOST_ENDPOINTS = 20
USUAL_OVERLAP = timedelta(days=1)
LONGEST_OVERLAP = timedelta(days=7)

_TABLE = cast(Table, WebhookEndpoint.__table__)
_COLUMNS: tuple[Any, ...] = (
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
_ORDER = Order("created", (WebhookEndpoint.created_at, WebhookEndpoint.id))


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
    write_down(session, account, endpoint_id, WebhookEvent.CREATED, actor, now, url=url)
    return _sure(session, account, endpoint_id), secret


def find(session: Session, account: str, endpoint_id: UUID) -> EndpointSummary | None:
    """The account's endpoint with this id."""
    row = session.execute(_by_id(account, endpoint_id)).one_or_none()
    return EndpointSummary(*row) if row is not None else None


def listed(session: Session, account: str, *, asked: PageRequest) -> Page[EndpointSummary]:
    """The account's endpoints, the oldest first."""
    return read(
        session,
        select(*_COLUMNS).where(WebhookEndpoint.tenant_id == account),
        EndpointSummary,
        order=_ORDER,
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
    before = hold(session, account, endpoint_id, version)
    checked = _checked(**values)
    changed = {name: value for name, value in checked.items() if getattr(before, name) != value}
    if not changed:
        return before
    _update(session, account, endpoint_id, now, **changed)
    fields = sorted(changed)
    write_down(session, account, endpoint_id, WebhookEvent.CHANGED, actor, now, fields=fields)
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
    hold(session, account, endpoint_id)
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
    write_down(session, account, endpoint_id, WebhookEvent.SECRET_ROTATED, actor, now)
    return secret


def disable(
    session: Session, account: str, endpoint_id: UUID, *, actor: str, now: datetime
) -> EndpointSummary:
    """Send nothing there any more; what is noted meanwhile is not sent later."""
    if hold(session, account, endpoint_id).disabled_at is None:
        switch_off(session, account, endpoint_id, why="person", actor=actor, now=now)
    return _sure(session, account, endpoint_id)


def switch_off(
    session: Session, account: str, endpoint_id: UUID, *, why: str, actor: str, now: datetime
) -> None:
    """The same for whoever holds the endpoint already; `why` is `person`, `failing` or `gone`."""
    _update(session, account, endpoint_id, now, disabled_at=now, disabled_for=why)
    write_down(session, account, endpoint_id, WebhookEvent.DISABLED, actor, now, why=why)
    note(
        session,
        Kind.WEBHOOK_DISABLED,
        account=account,
        person_id=None,
        now=now,
        webhook=endpoint_id,
        why=why,
    )


def enable(
    session: Session, account: str, endpoint_id: UUID, *, actor: str, now: datetime
) -> EndpointSummary:
    """Send there again, from now on."""
    if hold(session, account, endpoint_id).disabled_at is not None:
        on = {"disabled_at": None, "disabled_for": None, "failing_since": None}
        _update(session, account, endpoint_id, now, **on)
        write_down(session, account, endpoint_id, WebhookEvent.ENABLED, actor, now)
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
    before = hold(session, account, endpoint_id, version)
    session.execute(
        delete(WebhookEndpoint).where(
            WebhookEndpoint.tenant_id == account, WebhookEndpoint.id == endpoint_id
        )
    )
    write_down(session, account, endpoint_id, WebhookEvent.REMOVED, actor, now, url=before.url)


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


def sealed() -> tuple[SealedColumn, ...]:
    """The secrets, for `kernel.resealing`."""
    return tuple(
        SealedColumn(
            what="secrets of webhooks",
            column=_TABLE.c[name],
            key=_TABLE.c.id,
            context=lambda row: _context(row.tenant_id, row.key),
            needs=(_TABLE.c.tenant_id,),
        )
        for name in ("secret_sealed", "previous_secret_sealed")
    )


def hold(
    session: Session, account: str, endpoint_id: UUID, version: int | None = None
) -> EndpointSummary:
    """The endpoint, kept as it is until this transaction ends; raises NotFound, VersionConflict."""
    row = session.execute(_by_id(account, endpoint_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound("no such webhook")
    found = EndpointSummary(*row)
    if version is not None and version != found.version:
        raise VersionConflict(f"the webhook is at version {found.version}")
    return found


def write_down(
    session: Session,
    account: str,
    endpoint_id: UUID,
    event: WebhookEvent,
    actor: str,
    now: datetime,
    **details: Any,
) -> None:
    """A row in the audit trail about an endpoint."""
    record(
        session,
        account=account,
        event=event,
        actor=actor,
        subject=f"webhook:{endpoint_id}",
        now=now,
        details=details,
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


def _update(
    session: Session, account: str, endpoint_id: UUID, now: datetime, **values: Any
) -> None:
    session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.tenant_id == account, WebhookEndpoint.id == endpoint_id)
        .values(**values, version=WebhookEndpoint.version + 1, updated_at=now)
    )


def _by_id(account: str, endpoint_id: UUID) -> Select[Any]:
    return select(*_COLUMNS).where(
        WebhookEndpoint.tenant_id == account, WebhookEndpoint.id == endpoint_id
    )


def _sure(session: Session, account: str, endpoint_id: UUID) -> EndpointSummary:
    return EndpointSummary(*session.execute(_by_id(account, endpoint_id)).one())


def _seal(account: str, endpoint_id: UUID, secret: str) -> bytes:
    return _vault().seal(secret.encode(), context=_context(account, endpoint_id))


def _context(account: str, endpoint_id: UUID) -> str:
    return f"webhook:{account}:{endpoint_id}"


def _vault() -> Vault:
    return _settings().vault()


def _settings() -> Settings:
    settings: Settings = program.extensions()["klucznik.settings"]
    return settings
