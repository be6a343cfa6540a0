"""Turning facts into deliveries: each account's endpoints hear what they asked for."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from tenants.facts.service import FactSummary
from tenants.webhooks import deliveries
from tenants.webhooks.catalogue import EXPLAINED
from tenants.webhooks.models import WebhookEndpoint


def announce(session: Session, facts: Sequence[FactSummary], *, now: datetime) -> int:
    """Have these facts told to the endpoints of their accounts; says how many deliveries that is.

    Who a person is, is not said: a membership's id serves, and tells nobody how long there has been
    an ID. The session is for all accounts.
    """
    concerning = [fact for fact in facts if fact.account is not None and fact.kind in EXPLAINED]
    if not concerning:
        return 0
    endpoints = session.execute(
        select(WebhookEndpoint.tenant_id, WebhookEndpoint.id, WebhookEndpoint.events).where(
            WebhookEndpoint.tenant_id.in_({fact.account for fact in concerning}),
            WebhookEndpoint.disabled_at.is_(None),
        )
    ).all()
    count = 0
    for fact in concerning:
        for endpoint in endpoints:
            if endpoint.tenant_id != fact.account:
                continue
            if endpoint.events and fact.kind.value not in endpoint.events:
                continue
            deliveries.put(
                session,
                endpoint.tenant_id,
                endpoint.id,
                event_id=fact.id,
                kind=fact.kind.value,
                data={"account": fact.account, **fact.details},
                at=fact.at,
                now=now,
            )
            count += 1
    return count
