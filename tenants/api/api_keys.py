"""API keys of an account («klucze API»): made by people, shown once, used by programs."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from kernel.api import Answer, Asked, Call, Change, Moment, OneLine, Reply
from tenants.accounts.service import AccountSuspended
from tenants.api.callers import Caller, Kind
from tenants.api.demands import by_ours, on_account
from tenants.api.gate import SignInTooOld, demand_fresh_sign_in
from tenants.api.rest import API_KEY, AccountId, api, at
from tenants.api_keys import service as keys
from tenants.api_keys.service import LONGEST_OVERLAP, KeySummary, NotAKey, Revoked
from tenants.database import db
from tenants.roles.power import MayNotGrant

_EXAMPLE = "0197c2f4-8f7e-7b1a-9d3c-2b8f5e6a7c20"
# No key makes, renews or ends a key: who steals one can't make another that outlives it.
_DEMAND = on_account("api-keys:manage", Kind.PERSON)
_MAKING = by_ours(_DEMAND)

KeyId = Annotated[UUID, Field(description="The key's id", examples=[_EXAMPLE])]
KeyName = Annotated[str, Field(max_length=100, examples=["Sklep internetowy"]), OneLine]
Permissions = Annotated[
    list[Annotated[str, Field(max_length=130)]],
    Field(
        max_length=100,
        description="Of this API by name (`users:manage`). Of an application of the account as "
        "`application/permission` (`crm/contacts:read`): so that the key can give roles that hold them",
        examples=[["users:read", "companies:read"]],
    ),
]
Overlap = Annotated[
    int,
    Field(
        ge=0,
        le=int(LONGEST_OVERLAP.total_seconds()),
        description="For how many seconds the secret before stays good",
        examples=[86_400],
    ),
]


class ApiKey(Answer):
    """A key; its secret is shown when it is made or rotated, and never again."""

    id: UUID
    name: str
    owner: UUID = Field(description="The person it acts for: it can do no more than they can")
    permissions: list[str]
    hint: str = Field(description="The last characters of the secret")
    expires_at: Moment | None
    last_used_at: Moment | None
    revoked_at: Moment | None
    version: int
    created_at: Moment
    updated_at: Moment

    @classmethod
    def seen(cls, key: KeySummary) -> "ApiKey":
        """A key as everybody may see it who manages them."""
        own = {name: getattr(key, name) for name in cls.model_fields if hasattr(key, name)}
        return cls(**own | {"owner": key.owner_id, "permissions": list(key.permissions)})


class FreshApiKey(ApiKey):
    """A key with its secret."""

    key: str = Field(description="kl_<account>_<secret>: shown this once", examples=["kl_…"])


class ApiKeys(Answer):
    """Every key, the newest first."""

    items: list[ApiKey]


class ApiKeyDraft(Asked):
    """A key that is to be made, with permissions of the API that one holds oneself."""

    name: KeyName
    permissions: Permissions
    expires_at: AwareDatetime | None = Field(None, examples=["2030-01-01T00:00:00Z"])


class ApiKeyChange(Change):
    """What is to be changed of a key."""

    name: KeyName = ""


class Rotation(Asked):
    """How a key gets its new secret."""

    overlap_seconds: Overlap = 86_400


@api.get("/accounts/{account}/api-keys", tag=API_KEY, demand=_DEMAND)
def list_api_keys(call: Call[Caller], account: AccountId) -> ApiKeys:
    """List the keys, those that ended too."""
    with db.reading(tenant=account) as session:
        found = keys.listed(session, account, actor=call.caller.actor)
    return ApiKeys(items=[ApiKey.seen(each) for each in found])


@api.post(
    "/accounts/{account}/api-keys", tag=API_KEY, demand=_MAKING, makes=True, gives_version=True,
    refusals=[MayNotGrant, SignInTooOld, AccountSuspended, NotAKey],
)  # fmt: skip
def create_api_key(call: Call[Caller], account: AccountId, body: ApiKeyDraft) -> Reply[FreshApiKey]:
    """Create a key; the answer is the only one that holds its secret."""
    demand_fresh_sign_in(call.caller, now=call.now)
    with db.transaction(tenant=account) as session:
        fresh = keys.create(
            session,
            account,
            name=body.name,
            permissions=body.permissions,
            expires_at=body.expires_at,
            actor=call.caller.actor,
            now=call.now,
        )
    location = at(f"/accounts/{account}/api-keys/{fresh.key.id}")
    return Reply(_fresh(fresh), version=fresh.key.version, location=location)


@api.get(
    "/accounts/{account}/api-keys/{key}", tag=API_KEY, demand=_DEMAND, gives_version=True
)  # fmt: skip
def get_api_key(call: Call[Caller], account: AccountId, key: KeyId) -> Reply[ApiKey]:
    """Read a key, without its secret."""
    with db.reading(tenant=account) as session:
        found = keys.find(session, account, key, actor=call.caller.actor)
    return Reply(ApiKey.seen(found), version=found.version)


@api.patch(
    "/accounts/{account}/api-keys/{key}", tag=API_KEY, demand=_MAKING, needs_version=True,
    refusals=[NotAKey],
)  # fmt: skip
def change_api_key(
    call: Call[Caller], account: AccountId, key: KeyId, body: ApiKeyChange
) -> Reply[ApiKey]:
    """Call a key something else."""
    given = body.given()
    with db.transaction(tenant=account) as session:
        if "name" in given:
            changed = keys.change(
                session,
                account,
                key,
                name=given["name"],
                version=call.expected_version,
                actor=call.caller.actor,
                now=call.now,
            )
        else:
            changed = keys.find(session, account, key, actor=call.caller.actor)
    return Reply(ApiKey.seen(changed), version=changed.version)


@api.post(
    "/accounts/{account}/api-keys/{key}/rotate", tag=API_KEY, demand=_MAKING, needs_version=True,
    refusals=[MayNotGrant, SignInTooOld, Revoked, NotAKey],
)  # fmt: skip
def rotate_api_key(
    call: Call[Caller], account: AccountId, key: KeyId, body: Rotation
) -> Reply[FreshApiKey]:
    """Give one's own key a new secret; the one before stays good for the overlap."""
    demand_fresh_sign_in(call.caller, now=call.now)
    with db.transaction(tenant=account) as session:
        fresh = keys.rotate(
            session,
            account,
            key,
            overlap=timedelta(seconds=body.overlap_seconds),
            version=call.expected_version,
            actor=call.caller.actor,
            now=call.now,
        )
    return Reply(_fresh(fresh), version=fresh.key.version)


@api.delete("/accounts/{account}/api-keys/{key}", tag=API_KEY, demand=_DEMAND)
def revoke_api_key(call: Call[Caller], account: AccountId, key: KeyId) -> None:
    """End a key at once, one's own or anybody's in the account."""
    with db.transaction(tenant=account) as session:
        keys.revoke(session, account, key, actor=call.caller.actor, now=call.now)


def _fresh(fresh: keys.Fresh) -> FreshApiKey:
    return FreshApiKey(**ApiKey.seen(fresh.key).model_dump(), key=fresh.text)
