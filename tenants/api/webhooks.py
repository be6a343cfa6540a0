"""Webhooks of an account: where its programs hear what happens, what was sent, and sent again."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from kernel.api import Answer, Asked, Call, Change, Listing, Moment, PageQuery, Reply
from kernel.api.pages import listing
from kernel.errors import NotFound
from tenants.accounts.service import AccountSuspended
from tenants.api.callers import Caller
from tenants.api.demands import on_account
from tenants.api.rest import WEBHOOK, AccountId, api, at
from tenants.applications.rights import Right
from tenants.applications.service import ACCOUNTS
from tenants.database import db
from tenants.roles.power import demand
from tenants.webhooks import deliveries
from tenants.webhooks import service as webhooks
from tenants.webhooks.service import LONGEST_OVERLAP, EndpointSummary, WebhookNotValid

_EXAMPLE = "0197c2f4-8f7e-7b1a-9d3c-2b8f5e6a7c30"
_MOST_EVENTS = 100
_MOST_REPLAYED = 1_000
_DEMAND = on_account("webhooks:manage")
MANAGE = Right(ACCOUNTS, "webhooks:manage")

WebhookId = Annotated[UUID, Field(description="The webhook's id", examples=[_EXAMPLE])]
DeliveryId = Annotated[UUID, Field(description="The delivery's id", examples=[_EXAMPLE])]
Url = Annotated[
    str,
    Field(max_length=2_000, description="https", examples=["https://example.com/webhooks"]),
]
Events = Annotated[
    list[str],
    Field(
        max_length=_MOST_EVENTS,
        description="Kinds of events; none: all of them",
        examples=[["member.added", "member.removed"]],
    ),
]


class Webhook(Answer):
    """An address that hears of what happens. Its secret is shown when it is made or rotated."""

    id: UUID
    url: str
    description: str
    events: list[str] = Field(description="Empty: all of them")
    previous_until: Moment | None = Field(
        description="Until then everything is signed with the secret before as well"
    )
    failing_since: Moment | None
    disabled_at: Moment | None
    disabled_for: str | None = Field(description="person, failing or gone")
    created_by: str
    version: int
    created_at: Moment
    updated_at: Moment


class FreshWebhook(Webhook):
    """A webhook with its secret."""

    secret: str = Field(description="Shown this once; begins with whsec_")


class WebhookDraft(Asked):
    """A webhook that is to be made."""

    url: Url
    description: str = Field("", max_length=200, examples=["Księgowość"])
    events: Events = Field(default_factory=list)


class WebhookChange(Change):
    """What is to be changed of a webhook; what is left out stays."""

    url: Url = ""
    description: str = Field("", max_length=200)
    events: Events = Field(default_factory=list)


class SecretRotation(Asked):
    """How a webhook gets its new secret."""

    overlap_seconds: int = Field(
        86_400,
        ge=0,
        le=int(LONGEST_OVERLAP.total_seconds()),
        description="For how long everything is signed with both",
        examples=[86_400],
    )


class Delivery(Answer):
    """One event for one webhook, and what became of it."""

    id: UUID
    event_id: UUID = Field(description="The header webhook-id, the same in every attempt")
    kind: str
    payload: dict[str, Any]
    state: str = Field(description="waiting, delivered or failed")
    attempts: int
    last_status: int | None
    last_error: str | None = Field(
        description="no_public_address, no_answer, switched_off, or status_ and the number"
    )
    last_tried_at: Moment | None
    delivered_at: Moment | None
    created_at: Moment


class DeliveryQuery(PageQuery):
    """Which deliveries are wanted."""

    state: Literal["waiting", "delivered", "failed"] | None = Field(None, description="Only these")


class Replay(Asked):
    """What is to be sent again: these deliveries, or all that failed since a moment."""

    delivery_ids: list[UUID] | None = Field(
        None, min_length=1, max_length=_MOST_REPLAYED, examples=[[_EXAMPLE]]
    )
    failed_since: Moment | None = None


class Replayed(Answer):
    """How many will be sent again."""

    count: int


class Sent(Answer):
    """What will be sent."""

    delivery_id: UUID


@api.get("/accounts/{account}/webhooks", tag=WEBHOOK, demand=_DEMAND)
def list_webhooks(call: Call[Caller], account: AccountId, query: PageQuery) -> Listing[Webhook]:
    """List webhooks, the oldest first."""
    _demand(call, account)
    with db.reading(tenant=account) as session:
        page = webhooks.listed(session, account, asked=query.page)
    return listing(page, Webhook.of)


@api.post(
    "/accounts/{account}/webhooks", tag=WEBHOOK, demand=_DEMAND, makes=True, gives_version=True,
    refusals=[WebhookNotValid, AccountSuspended],
)  # fmt: skip
def create_webhook(
    call: Call[Caller], account: AccountId, body: WebhookDraft
) -> Reply[FreshWebhook]:
    """Create a webhook; the answer is the only one that holds its secret."""
    _demand(call, account)
    with db.transaction(tenant=account) as session:
        made, secret = webhooks.create(
            session,
            account,
            url=body.url,
            description=body.description,
            events=body.events,
            actor=call.caller.actor.id,
            now=call.now,
        )
    location = at(f"/accounts/{account}/webhooks/{made.id}")
    return Reply(_fresh(made, secret), version=made.version, location=location)


@api.get(
    "/accounts/{account}/webhooks/{webhook}", tag=WEBHOOK, demand=_DEMAND, gives_version=True
)  # fmt: skip
def get_webhook(call: Call[Caller], account: AccountId, webhook: WebhookId) -> Reply[Webhook]:
    """Read a webhook."""
    _demand(call, account)
    with db.reading(tenant=account) as session:
        found = webhooks.find(session, account, webhook)
    return _reply(_sure(found))


@api.patch(
    "/accounts/{account}/webhooks/{webhook}", tag=WEBHOOK, demand=_DEMAND, needs_version=True,
    refusals=[WebhookNotValid],
)  # fmt: skip
def change_webhook(
    call: Call[Caller], account: AccountId, webhook: WebhookId, body: WebhookChange
) -> Reply[Webhook]:
    """Change where a webhook goes, what it is called, or what it hears of."""
    _demand(call, account)
    with db.transaction(tenant=account) as session:
        changed = webhooks.change(
            session,
            account,
            webhook,
            version=call.expected_version,
            actor=call.caller.actor.id,
            now=call.now,
            **body.given(),
        )
    return _reply(changed)


@api.delete(
    "/accounts/{account}/webhooks/{webhook}", tag=WEBHOOK, demand=_DEMAND, needs_version=True
)  # fmt: skip
def remove_webhook(call: Call[Caller], account: AccountId, webhook: WebhookId) -> None:
    """Remove a webhook with its log."""
    _demand(call, account)
    with db.transaction(tenant=account) as session:
        webhooks.remove(
            session,
            account,
            webhook,
            version=call.expected_version,
            actor=call.caller.actor.id,
            now=call.now,
        )


@api.post("/accounts/{account}/webhooks/{webhook}/rotate", tag=WEBHOOK, demand=_DEMAND)
def rotate_webhook_secret(
    call: Call[Caller], account: AccountId, webhook: WebhookId, body: SecretRotation
) -> Reply[FreshWebhook]:
    """Give a webhook a new secret; the one before signs along for a while."""
    _demand(call, account)
    with db.transaction(tenant=account) as session:
        secret = webhooks.rotate_secret(
            session,
            account,
            webhook,
            actor=call.caller.actor.id,
            now=call.now,
            overlap=timedelta(seconds=body.overlap_seconds),
        )
        found = _sure(webhooks.find(session, account, webhook))
    return Reply(_fresh(found, secret), version=found.version)


@api.post("/accounts/{account}/webhooks/{webhook}/disable", tag=WEBHOOK, demand=_DEMAND)
def disable_webhook(call: Call[Caller], account: AccountId, webhook: WebhookId) -> Reply[Webhook]:
    """Send nothing there any more."""
    _demand(call, account)
    with db.transaction(tenant=account) as session:
        return _reply(
            webhooks.disable(session, account, webhook, actor=call.caller.actor.id, now=call.now)
        )


@api.post("/accounts/{account}/webhooks/{webhook}/enable", tag=WEBHOOK, demand=_DEMAND)
def enable_webhook(call: Call[Caller], account: AccountId, webhook: WebhookId) -> Reply[Webhook]:
    """Send there again, from now on."""
    _demand(call, account)
    with db.transaction(tenant=account) as session:
        return _reply(
            webhooks.enable(session, account, webhook, actor=call.caller.actor.id, now=call.now)
        )


@api.post("/accounts/{account}/webhooks/{webhook}/test", tag=WEBHOOK, demand=_DEMAND)
def send_test_event(call: Call[Caller], account: AccountId, webhook: WebhookId) -> Sent:
    """Send an event that means nothing, to see whether the address works."""
    _demand(call, account)
    with db.transaction(tenant=account) as session:
        delivery_id = deliveries.send_test(
            session, account, webhook, actor=call.caller.actor.id, now=call.now
        )
    return Sent(delivery_id=delivery_id)


@api.get("/accounts/{account}/webhooks/{webhook}/deliveries", tag=WEBHOOK, demand=_DEMAND)
def list_deliveries(
    call: Call[Caller], account: AccountId, webhook: WebhookId, query: DeliveryQuery
) -> Listing[Delivery]:
    """List what was sent to a webhook, the newest first."""
    _demand(call, account)
    with db.reading(tenant=account) as session:
        _sure(webhooks.find(session, account, webhook))
        page = deliveries.listed(session, account, webhook, asked=query.page, state=query.state)
    return listing(page, Delivery.of)


@api.get(
    "/accounts/{account}/webhooks/{webhook}/deliveries/{delivery}", tag=WEBHOOK, demand=_DEMAND
)
def get_delivery(
    call: Call[Caller], account: AccountId, webhook: WebhookId, delivery: DeliveryId
) -> Delivery:
    """Read one delivery."""
    _demand(call, account)
    with db.reading(tenant=account) as session:
        found = deliveries.find(session, account, delivery)
    if found is None or found.endpoint_id != webhook:
        raise NotFound(f"no delivery {delivery} of {webhook}")
    return Delivery.of(found)


@api.post(
    "/accounts/{account}/webhooks/{webhook}/replay", tag=WEBHOOK, demand=_DEMAND,
    refusals=[WebhookNotValid],
)  # fmt: skip
def replay_deliveries(
    call: Call[Caller], account: AccountId, webhook: WebhookId, body: Replay
) -> Replayed:
    """Send again, under the same id: these deliveries, or all that failed since a moment."""
    _demand(call, account)
    if (body.delivery_ids is None) == (body.failed_since is None):
        raise WebhookNotValid("delivery_ids", "either these, or a moment")
    with db.transaction(tenant=account) as session:
        count = deliveries.replay(
            session,
            account,
            webhook,
            delivery_ids=body.delivery_ids,
            since=body.failed_since,
            actor=call.caller.actor.id,
            now=call.now,
        )
    return Replayed(count=count)


def _demand(call: Call[Caller], account: str) -> None:
    """Ask once more, whatever the gate said (SECURITY 12.2)."""
    demand(call.caller.actor, account, MANAGE)


def _sure(found: EndpointSummary | None) -> EndpointSummary:
    if found is None:
        raise NotFound("no such webhook")
    return found


def _reply(found: EndpointSummary) -> Reply[Webhook]:
    return Reply(Webhook.of(found), version=found.version)


def _fresh(found: EndpointSummary, secret: str) -> FreshWebhook:
    return FreshWebhook(**Webhook.of(found).model_dump(), secret=secret)
