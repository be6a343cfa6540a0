"""The audit trail of an account: who did what to what, when and from where."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from kernel.api import Answer, Call, Download, Listing, Moment, PageQuery, Query
from kernel.api.downloads import CSV, JSON_LINES
from kernel.api.pages import listing
from kernel.api.problems import TooMany
from kernel.limits import Refusal, Window
from tenants import trail
from tenants.api.callers import Caller, Kind
from tenants.api.demands import on_account
from tenants.api.gate import SignInTooOld, demand_fresh_sign_in
from tenants.api.rest import AUDIT, AccountId, api
from tenants.applications.rights import Right
from tenants.applications.service import ACCOUNTS
from tenants.database import db
from tenants.limits import limits
from tenants.roles.power import demand
from tenants.trail import Exported, Row, Wanted

READ = Right(ACCOUNTS, "audit:read")
EXPORTS = Window("audit-export", limit=30, every=timedelta(hours=1))
"""Of an account: each may read all of its trail."""


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


class AuditFilter(Query):
    """Which events are wanted."""

    event: str | None = Field(
        None, max_length=100, description="An event (company:archived), or its beginning (company)"
    )
    actor: str | None = Field(None, max_length=120, description="Who did it")
    subject: str | None = Field(None, max_length=120, description="What it happened to")
    since: Moment | None = Field(None, description="From then on")
    before: Moment | None = Field(None, description="Before then")

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.event, self.actor, self.subject, self.since, self.before)


class AuditQuery(AuditFilter, PageQuery):
    """Which events are wanted, and which part of their list."""


class AuditExportQuery(AuditFilter):
    """Which events are wanted, and in which form."""

    format: Literal["jsonl", "csv"] | None = Field(
        None, description="Goes before the header Accept: `jsonl` is application/x-ndjson"
    )


@api.get("/accounts/{account}/audit", tag=AUDIT, demand=on_account("audit:read"))
def list_audit_entries(
    call: Call[Caller], account: AccountId, query: AuditQuery
) -> Listing[AuditEntry]:
    """List what happened in the account, the newest first."""
    demand(call.caller.actor, account, READ)
    with db.reading(tenant=account) as session:
        page = trail.listed(session, account, asked=query.page, wanted=query.wanted)
        names = trail.names(session, account, list(page.items))
    return listing(page, lambda row: _entry(row, names))


@api.get(
    "/accounts/{account}/audit/export", tag=AUDIT, demand=on_account("audit:read"),
    refusals=[SignInTooOld, TooMany], forms=(JSON_LINES, CSV),
)  # fmt: skip
def export_audit_entries(
    call: Call[Caller], account: AccountId, query: AuditExportQuery
) -> Download:
    """Take out what happened in the account, as one file: the newest first, without pages.

    For a person who signed in within the last ten minutes, or an API key, thirty times an hour in an
    account. JSON Lines for programs, CSV for spreadsheets. That it was taken out is in the trail.
    """
    demand(call.caller.actor, account, READ)
    if call.caller.kind is Kind.PERSON:
        demand_fresh_sign_in(call.caller, now=call.now)

    def rows() -> Iterator[Exported]:
        taken = limits.take(db, key=account, policy=EXPORTS, now=call.now)
        if isinstance(taken, Refusal):
            raise TooMany("exports of the audit trail", retry_after=taken.retry_after(call.now))
        actor = call.caller.actor.id
        return trail.export(account, wanted=query.wanted, actor=actor, now=call.now)

    return Download(
        name=f"audit-{account}-{call.now:%Y-%m-%d}",
        forms={
            JSON_LINES: lambda: trail.as_json_lines(rows()),
            CSV: lambda: trail.as_csv(rows()),
        },
        wanted=query.format,
    )


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
