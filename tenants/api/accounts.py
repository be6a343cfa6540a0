"""Accounts: made, read, changed, handed over, closed."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from kernel.api import Answer, Asked, Call, Change, Moment, OneLine, Reply
from kernel.api.problems import Forbidden, TooMany
from kernel.errors import NotFound, VersionConflict
from kernel.limits import Refusal, Window
from tenants.accounts import service as accounts
from tenants.accounts.service import AccountSuspended, NotANip, NotValid
from tenants.api.callers import Caller, Kind
from tenants.api.demands import by_ours, membership, on_account, oneself
from tenants.api.gate import SignInTooOld, demand_fresh_sign_in
from tenants.api.me import person_of
from tenants.api.rest import ACCOUNT, AccountId, api, at
from tenants.applications.rights import Right
from tenants.applications.service import ACCOUNTS
from tenants.database import db
from tenants.lifecycle import service as lifecycle
from tenants.lifecycle.service import NoSuchMember, Overview
from tenants.limits import limits
from tenants.roles.power import demand

MANAGE = Right(ACCOUNTS, "account:manage")
PER_PERSON = Window("api: accounts made by a person", limit=20, every=timedelta(days=1))

Name = Annotated[str, Field(max_length=200, examples=["Dom i Ogród sp. z o.o."]), OneLine]
Nip = Annotated[
    str,
    Field(max_length=40, description="The tax number, with or without hyphens"),
]
Street = Annotated[str, Field(max_length=200)]
Postcode = Annotated[str, Field(max_length=16)]
Town = Annotated[str, Field(max_length=100)]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$", description="ISO 3166, two letters")]
SecondFactor = Literal["default", "strong"]


class Account(Answer):
    """An account («konto firmy»)."""

    id: str = Field(description="«ID Konta»: 12 hex digits")
    name: str
    nip: str | None
    is_accounting_office: bool = Field(description="«Prowadzę biuro rachunkowe»")
    street: str | None
    postcode: str | None
    town: str | None
    country: str
    status: str = Field(description="active, or suspended by the operator")
    second_factor: str = Field(description="strong: who works here needs more than a mailed code")
    sign_in_hours: int | None = Field(description="How old a sign-in may be that is used here")
    companies: int = Field(description="How many companies it has")
    users: int = Field(description="How many users it has")
    version: int
    created_at: Moment
    updated_at: Moment

    @classmethod
    def seen(cls, found: Overview) -> "Account":
        """An account with its numbers."""
        own = {
            name: getattr(found.account, name)
            for name in cls.model_fields
            if name not in {"companies", "users"}
        }
        return cls(**own, companies=found.companies, users=found.users)


class AccountDraft(Asked):
    """An account that is to be made. Its main company gets the same name, NIP and address."""

    name: Name
    nip: Nip | None = Field(None, examples=["526-000-12-46"])
    is_accounting_office: bool = Field(False, examples=[False])
    street: Street | None = Field(None, examples=["Wiejska 4"])
    postcode: Postcode | None = Field(None, examples=["00-902"])
    town: Town | None = Field(None, examples=["Warszawa"])
    country: Country = Field("PL", examples=["PL"])


class AccountChange(Change):
    """What is to be changed of an account; what is left out stays."""

    name: Name = ""
    nip: Nip | None = Field(None, examples=["5260001246"])
    is_accounting_office: bool = False
    street: Street | None = None
    postcode: Postcode | None = None
    town: Town | None = Field(None, examples=["Kraków"])
    country: Country = "PL"
    second_factor: SecondFactor = "default"
    sign_in_hours: int | None = Field(None, ge=1, le=accounts.LONGEST_SIGN_IN_HOURS)


class HandOver(Asked):
    """Who is to be the account's admin."""

    person_id: UUID = Field(
        description="An active member", examples=["0197c2f4-8f7e-7b1a-9d3c-2b8f5e6a7c10"]
    )
    keep_own_role: bool = Field(
        True, description="Whether who hands over stays an admin", examples=[False]
    )


@api.post(
    "/accounts", tag=ACCOUNT, demand=by_ours(oneself()), makes=True, gives_version=True,
    refusals=[NotValid], pointers={NotANip: "/nip"},
)  # fmt: skip
def create_account(call: Call[Caller], body: AccountDraft) -> Reply[Account]:
    """Create an account. Who creates it is its first admin.

    The token needs no context, and gets none by this: ask for one of the new account.
    """
    person_id = person_of(call.caller)
    taken = limits.take(db, key=f"{person_id}", policy=PER_PERSON, now=call.now)
    if isinstance(taken, Refusal):
        raise TooMany("accounts", retry_after=taken.retry_after(call.now))
    made = lifecycle.create(
        **body.model_dump(), creator=person_id, actor=call.caller.actor.id, now=call.now
    )
    with db.reading(tenant=made.id) as session:
        account = Account.seen(_found(lifecycle.overview(session, made.id)))
    return Reply(account, version=account.version, location=at(f"/accounts/{made.id}"))


@api.get("/accounts/{account}", tag=ACCOUNT, demand=membership(), gives_version=True)
def get_account(call: Call[Caller], account: AccountId) -> Reply[Account]:
    """Read an account."""
    with db.reading(tenant=account) as session:
        found = Account.seen(_found(lifecycle.overview(session, account)))
    return Reply(found, version=found.version)


@api.patch(
    "/accounts/{account}", tag=ACCOUNT, demand=on_account("account:manage"), needs_version=True,
    refusals=[NotValid, AccountSuspended], pointers={NotANip: "/nip"},
)  # fmt: skip
def change_account(call: Call[Caller], account: AccountId, body: AccountChange) -> Reply[Account]:
    """Change an account's details. The main company keeps its own."""
    demand(call.caller.actor, account, MANAGE)
    with db.transaction(tenant=account) as session:
        accounts.change(
            session,
            account,
            body.given(),
            version=call.expected_version,
            actor=call.caller.actor.id,
            now=call.now,
        )
        found = Account.seen(_found(lifecycle.overview(session, account)))
    return Reply(found, version=found.version)


@api.post(
    "/accounts/{account}/hand-over", tag=ACCOUNT,
    demand=by_ours(on_account("account:manage", Kind.PERSON)), refusals=[NoSuchMember, SignInTooOld, AccountSuspended],
)  # fmt: skip
def hand_account_over(call: Call[Caller], account: AccountId, body: HandOver) -> Reply[Account]:
    """Make an active member the admin of the account.

    For an admin who signed in within the last ten minutes.
    """
    _demand_admin(call, account)
    demand_fresh_sign_in(call.caller, now=call.now)
    with db.transaction(tenant=account) as session:
        lifecycle.hand_over(
            session,
            account,
            to=body.person_id,
            instead_of=None if body.keep_own_role else person_of(call.caller),
            actor=call.caller.actor,
            now=call.now,
        )
        found = Account.seen(_found(lifecycle.overview(session, account)))
    return Reply(found, version=found.version)


@api.delete(
    "/accounts/{account}", tag=ACCOUNT, demand=by_ours(on_account("account:manage", Kind.PERSON)),
    needs_version=True, refusals=[SignInTooOld],
)  # fmt: skip
def close_account(call: Call[Caller], account: AccountId) -> None:
    """Close an account for good: nobody gets into it any more.

    For an admin who signed in within the last ten minutes. Its history stays with the operator.
    """
    _demand_admin(call, account)
    demand_fresh_sign_in(call.caller, now=call.now)
    with db.transaction(tenant=account) as session:
        before = accounts.hold(session, account, even_suspended=True)
        if before.version != call.expected_version:
            raise VersionConflict(f"{account} is at version {before.version}")
        lifecycle.close(session, account, actor=call.caller.actor.id, now=call.now)


def _demand_admin(call: Call[Caller], account: str) -> None:
    if not call.caller.actor.power_in(account).is_admin:
        raise Forbidden("for an admin of the whole account")


def _found(overview: Overview | None) -> Overview:
    if overview is None:
        raise NotFound("the account is gone")
    return overview
