"""The audit trail of an account: who did what to what, when and from where."""

from typing import Any
from uuid import UUID

from pydantic import Field

from kernel.api import Answer, Call, Listing, Moment, PageQuery
from kernel.api.pages import listing
from tenants import trail
from tenants.api.callers import Caller
from tenants.api.demands import on_account
from tenants.api.rest import AUDIT, AccountId, api
from tenants.database import db
from tenants.trail import Row, Wanted


class AuditEntry(Answer):
    """Something that happened. Nobody can change it unnoticed."""

    id: UUID
    at: Moment
    event: str = Field(description="What happened: thing:what-happened")
    result: str = Field(description="success, failure or refused")
    actor: str | None = Field(description="person:…, client:…, key:… or operator")
    actor_name: str | None = Field(description="What the account calls that person")
    subject: str | None = Field(description="What it happened to: company:…, member:…")
    subject_name: str | None
    address: str | None = Field(description="From where; null once it was erased")
    request: str | None = Field(description="The number of the request")
    details: dict[str, Any]


class AuditQuery(PageQuery):
    """Which events are wanted."""

    event: str | None = Field(
        None, max_length=100, description="An event (company:archived), or its beginning (company)"
    )
    actor: str | None = Field(None, max_length=120, description="Who did it")
    subject: str | None = Field(None, max_length=120, description="What it happened to")
    since: Moment | None = Field(None, description="From then on")
    before: Moment | None = Field(None, description="Before then")


@api.get("/accounts/{account}/audit", tag=AUDIT, demand=on_account("audit:read"))
def list_audit_entries(
    call: Call[Caller], account: AccountId, query: AuditQuery
) -> Listing[AuditEntry]:
    """List what happened in the account, the newest first."""
    wanted = Wanted(
        event=query.event,
        actor=query.actor,
        subject=query.subject,
        since=query.since,
        before=query.before,
    )
    with db.reading(tenant=account) as session:
        page = trail.listed(session, account, asked=query.page, wanted=wanted)
        names = trail.names(session, account, list(page.items))
    return listing(page, lambda row: _entry(row, names))


def _entry(row: Row, names: dict[str, str]) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        event=row.event,
        result=row.result,
        actor=row.actor,
        actor_name=names.get(row.actor or ""),
        subject=row.subject,
        subject_name=names.get(row.subject or ""),
        address=row.personal.get("address"),
        request=row.request,
        details=trail.details_of(row),
    )
