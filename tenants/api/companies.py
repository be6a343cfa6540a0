"""Companies of an account: made, listed, changed, archived."""

from pydantic import Field

from kernel.api import Answer, Asked, Call, Change, Listing, Moment, PageQuery, QueryFlag, Reply
from kernel.api.pages import listing
from kernel.errors import NotFound
from tenants.accounts.service import AccountSuspended
from tenants.api.accounts import Country, Name, Nip, Postcode, Street, Town
from tenants.api.callers import Caller
from tenants.api.demands import anywhere, on_account, on_company
from tenants.api.rest import COMPANY, AccountId, CompanyId, api, at
from tenants.applications.service import ACCOUNTS, Right
from tenants.companies import service as companies
from tenants.companies.service import CompanySummary, MainCompany, NotANip, NotValid
from tenants.database import db
from tenants.roles.power import NotPermitted, demand, reach

READ = Right(ACCOUNTS, "companies:read")
MANAGE = Right(ACCOUNTS, "companies:manage")


class Company(Answer):
    """A company («firma»)."""

    id: str = Field(description="Its key: 16 hex digits, shown, no secret")
    name: str
    nip: str | None
    street: str | None
    postcode: str | None
    town: str | None
    country: str
    is_main: bool = Field(description="«Konto / Główna firma»")
    archived_at: Moment | None
    version: int
    created_at: Moment
    updated_at: Moment


class CompanyDraft(Asked):
    """A company that is to be made."""

    name: Name
    nip: Nip | None = Field(None, examples=["526-000-12-46"])
    street: Street | None = Field(None, examples=["Wiejska 4"])
    postcode: Postcode | None = Field(None, examples=["00-902"])
    town: Town | None = Field(None, examples=["Warszawa"])
    country: Country = Field("PL", examples=["PL"])


class CompanyChange(Change):
    """What is to be changed of a company; what is left out stays."""

    name: Name = ""
    nip: Nip | None = None
    street: Street | None = None
    postcode: Postcode | None = None
    town: Town | None = Field(None, examples=["Kraków"])
    country: Country = "PL"


class CompanyQuery(PageQuery):
    """Which companies are wanted."""

    q: str = Field("", max_length=200, description="Part of the name, or a whole NIP or key")
    archived: QueryFlag = Field(
        False, description="Those that were archived, instead of the others"
    )


@api.get("/accounts/{account}/companies", tag=COMPANY, demand=anywhere("companies:read"))
def list_companies(call: Call[Caller], account: AccountId, query: CompanyQuery) -> Listing[Company]:
    """List companies by name."""
    seen = reach(call.caller.actor.power_in(account), READ)
    if not seen:
        raise NotPermitted(f"{call.caller.actor.id} reads no company")
    with db.reading(tenant=account) as session:
        page = companies.listed(
            session,
            account,
            asked=query.page,
            text=query.q.strip(),
            archived=query.archived,
            among=None if seen.whole else seen.companies,
        )
    return listing(page, Company.of)


@api.post(
    "/accounts/{account}/companies", tag=COMPANY, demand=on_account("companies:manage"), makes=True,
    gives_version=True, refusals=[NotValid, AccountSuspended], pointers={NotANip: "/nip"},
)  # fmt: skip
def create_company(call: Call[Caller], account: AccountId, body: CompanyDraft) -> Reply[Company]:
    """Create a company. It gets a key of its own."""
    demand(call.caller.actor, account, MANAGE)
    with db.transaction(tenant=account) as session:
        made = companies.create(
            session, account, body.model_dump(), actor=call.caller.actor.id, now=call.now
        )
    return _reply(made, location=at(f"/accounts/{account}/companies/{made.id}"))


@api.get(
    "/accounts/{account}/companies/{company}", tag=COMPANY, demand=on_company("companies:read"),
    gives_version=True,
)  # fmt: skip
def get_company(call: Call[Caller], account: AccountId, company: CompanyId) -> Reply[Company]:
    """Read a company, an archived one too."""
    demand(call.caller.actor, account, READ, company)
    with db.reading(tenant=account) as session:
        found = companies.find(session, account, company)
    if found is None:
        raise NotFound(f"no company {company} in {account}")
    return _reply(found)


@api.patch(
    "/accounts/{account}/companies/{company}", tag=COMPANY, demand=on_company("companies:manage"),
    needs_version=True, refusals=[NotValid, AccountSuspended], pointers={NotANip: "/nip"},
)  # fmt: skip
def change_company(
    call: Call[Caller], account: AccountId, company: CompanyId, body: CompanyChange
) -> Reply[Company]:
    """Change a company's details."""
    demand(call.caller.actor, account, MANAGE, company)
    with db.transaction(tenant=account) as session:
        changed = companies.change(
            session,
            account,
            company,
            body.given(),
            version=call.expected_version,
            actor=call.caller.actor.id,
            now=call.now,
        )
    return _reply(changed)


@api.post(
    "/accounts/{account}/companies/{company}/archive", tag=COMPANY,
    demand=on_account("companies:manage"), needs_version=True,
    refusals=[MainCompany, AccountSuspended],
)  # fmt: skip
def archive_company(call: Call[Caller], account: AccountId, company: CompanyId) -> Reply[Company]:
    """Archive a company: nobody works in it any more. The main company stays."""
    demand(call.caller.actor, account, MANAGE)
    with db.transaction(tenant=account) as session:
        archived = companies.archive(
            session,
            account,
            company,
            version=call.expected_version,
            actor=call.caller.actor.id,
            now=call.now,
        )
    return _reply(archived)


@api.post(
    "/accounts/{account}/companies/{company}/restore", tag=COMPANY,
    demand=on_account("companies:manage"), needs_version=True, refusals=[AccountSuspended],
)  # fmt: skip
def restore_company(call: Call[Caller], account: AccountId, company: CompanyId) -> Reply[Company]:
    """Take a company back out of the archive, with all that was given on it."""
    demand(call.caller.actor, account, MANAGE)
    with db.transaction(tenant=account) as session:
        restored = companies.restore(
            session,
            account,
            company,
            version=call.expected_version,
            actor=call.caller.actor.id,
            now=call.now,
        )
    return _reply(restored)


def _reply(company: CompanySummary, *, location: str | None = None) -> Reply[Company]:
    return Reply(Company.of(company), version=company.version, location=location)
