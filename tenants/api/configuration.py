"""The configuration of an account, taken out and brought back to the same account (TEN-5)."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from kernel.api import Answer, Asked, Call
from kernel.api.problems import Forbidden
from tenants import configuration
from tenants.accounts.service import AccountSuspended, NotValid
from tenants.api.callers import Caller, Kind
from tenants.api.demands import on_account
from tenants.api.gate import SignInTooOld, demand_fresh_sign_in
from tenants.api.rest import ACCOUNT, AccountId, api
from tenants.configuration import AnotherAccounts, BroughtBack, NotAConfiguration
from tenants.database import db
from tenants.roles.service import NameTaken, NotARole

_MOST = 10_000
_EXAMPLE = "0197c2f4-8f7e-7b1a-9d3c-2b8f5e6a7c10"

Text = Annotated[str, Field(max_length=500)]
Names = Annotated[list[Text], Field(max_length=_MOST)]


class KeptCompany(Asked):
    """A company as it was."""

    key: Text = Field(examples=["7c1e0a94d35f8b62"])
    name: Text = Field(examples=["Zielony Dom"])
    nip: Text | None = Field(examples=["5260001246"])
    street: Text | None = Field(examples=[None])
    postcode: Text | None = Field(examples=[None])
    town: Text | None = Field(examples=["Warszawa"])
    country: Text = Field(examples=["PL"])
    archived: bool = Field(examples=[False])


class KeptRole(Asked):
    """A role as it was, with the names of its permissions by application."""

    id: Text = Field(examples=[_EXAMPLE])
    name: Text = Field(examples=["Sprzedaż"])
    admin: bool = Field(examples=[False])
    second_factor: Text = Field(examples=["default"])
    permissions: dict[Text, Names] = Field(examples=[{"crm": ["contacts:read"]}])


class Configuration(Asked):
    """An account's details, companies and roles, signed. It is good for this account alone."""

    format: Literal["klucznik-account-configuration"]
    version: Literal[1]
    account: AccountId
    taken_out_at: Text = Field(examples=["2026-06-01T12:00:00+00:00"])
    details: dict[Text, Text | bool | int | None] = Field(examples=[{"name": "Zielony Dom"}])
    companies: list[KeptCompany] = Field(max_length=_MOST)
    roles: list[KeptRole] = Field(max_length=_MOST)
    signature: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")] = Field(
        description="As it was answered; whoever changes a word makes it void", examples=["0" * 64]
    )


class MissingPermission(Answer):
    """A permission that can't be given now: retired, or of an application that the account has lost."""

    application: str
    permission: str


class Restored(Answer):
    """What bringing a configuration back has changed."""

    details: bool
    companies: list[str] = Field(description="The keys of those that are described otherwise now")
    roles: list[str] = Field(description="The ids of those that were changed or made again")
    missing: list[MissingPermission]

    @classmethod
    def told(cls, done: BroughtBack) -> "Restored":
        """What was done, as it is answered."""
        return cls(
            details=done.details,
            companies=list(done.companies),
            roles=[str(role) for role in done.roles],
            missing=[
                MissingPermission(application=right.application, permission=right.permission)
                for right in done.missing
            ],
        )


@api.get(
    "/accounts/{account}/configuration", tag=ACCOUNT,
    demand=on_account("account:manage", Kind.PERSON), refusals=[SignInTooOld, AccountSuspended],
)  # fmt: skip
def get_configuration(call: Call[Caller], account: AccountId) -> Configuration:
    """Take out the account's details, companies and roles, without its people.

    For an admin who signed in within the last ten minutes. It can be brought back to this account and to
    no other.
    """
    _demand_admin(call, account)
    with db.transaction(tenant=account) as session:
        document = configuration.take_out(session, account, actor=call.caller.actor, now=call.now)
    return Configuration.model_validate(document)


@api.put(
    "/accounts/{account}/configuration", tag=ACCOUNT,
    demand=on_account("account:manage", Kind.PERSON),
    refusals=[
        SignInTooOld, AccountSuspended, AnotherAccounts, NotAConfiguration, NotARole, NameTaken, NotValid,
    ],
)  # fmt: skip
def put_configuration(call: Call[Caller], account: AccountId, body: Configuration) -> Restored:
    """Bring back a configuration that was taken out of this very account. What came since stays.

    For an admin who signed in within the last ten minutes.
    """
    _demand_admin(call, account)
    with db.transaction(tenant=account) as session:
        done = configuration.bring_back(
            session, account, body.model_dump_json(), actor=call.caller.actor, now=call.now
        )
    return Restored.told(done)


def _demand_admin(call: Call[Caller], account: str) -> None:
    if not call.caller.actor.power_in(account).is_admin:
        raise Forbidden("for an admin of the whole account")
    demand_fresh_sign_in(call.caller, now=call.now)
