"""Clients of an account, who may open its client panel: listed, added, blocked, removed."""

from kernel.api import Call, Listing, Reply
from kernel.api.pages import listing
from tenants.accounts.service import AccountSuspended
from tenants.api import memberships
from tenants.api.callers import Caller
from tenants.api.demands import on_account
from tenants.api.memberships import Client, ClientDraft, ClientQuery, MembershipChange, MembershipId
from tenants.api.rest import CLIENT, AccountId, api, at
from tenants.members import service as members
from tenants.members.listing import MemberSummary
from tenants.members.service import AlreadyMember, Blocked, MemberKind, NotAnAddress, NotValid

_KIND = MemberKind.CLIENT


@api.get("/accounts/{account}/clients", tag=CLIENT, demand=on_account("clients:read"))
def list_clients(call: Call[Caller], account: AccountId, query: ClientQuery) -> Listing[Client]:
    """List clients."""
    return listing(memberships.page(call, account, _KIND, query), Client.of)


@api.post(
    "/accounts/{account}/clients", tag=CLIENT, demand=on_account("clients:manage"), makes=True,
    gives_version=True, refusals=[AlreadyMember, NotValid, AccountSuspended],
    pointers={NotAnAddress: "/email"},
)  # fmt: skip
def add_client(call: Call[Caller], account: AccountId, body: ClientDraft) -> Reply[Client]:
    """Add a client, who may open the account's client panel, and nothing else."""
    found = memberships.add(call, account, _KIND, body, [])
    return Reply(
        Client.of(found),
        version=found.version,
        location=at(f"/accounts/{account}/clients/{found.id}"),
    )


@api.get(
    "/accounts/{account}/clients/{client}", tag=CLIENT, demand=on_account("clients:read"),
    gives_version=True,
)  # fmt: skip
def get_client(call: Call[Caller], account: AccountId, client: MembershipId) -> Reply[Client]:
    """Read a client."""
    return _reply(memberships.read(call, account, client, _KIND))


@api.patch(
    "/accounts/{account}/clients/{client}", tag=CLIENT, demand=on_account("clients:manage"),
    needs_version=True, refusals=[NotValid, AccountSuspended],
)  # fmt: skip
def change_client(
    call: Call[Caller], account: AccountId, client: MembershipId, body: MembershipChange
) -> Reply[Client]:
    """Change what the account calls a client."""
    return _reply(memberships.change(call, account, client, _KIND, body))


@api.post(
    "/accounts/{account}/clients/{client}/block", tag=CLIENT, demand=on_account("clients:manage"),
    needs_version=True, refusals=[AccountSuspended],
)  # fmt: skip
def block_client(call: Call[Caller], account: AccountId, client: MembershipId) -> Reply[Client]:
    """Block a client: the client panel shows nothing of this account any more."""
    return _reply(
        memberships.act(call, account, client, _KIND, members.block, version=call.expected_version)
    )


@api.post(
    "/accounts/{account}/clients/{client}/unblock", tag=CLIENT,
    demand=on_account("clients:manage"), needs_version=True, refusals=[AccountSuspended],
)  # fmt: skip
def unblock_client(call: Call[Caller], account: AccountId, client: MembershipId) -> Reply[Client]:
    """Let a blocked client be what they were."""
    return _reply(
        memberships.act(
            call, account, client, _KIND, members.unblock, version=call.expected_version
        )
    )


@api.post(
    "/accounts/{account}/clients/{client}/inform", tag=CLIENT,
    demand=on_account("clients:manage"), refusals=[Blocked, AccountSuspended],
)  # fmt: skip
def inform_client(call: Call[Caller], account: AccountId, client: MembershipId) -> Reply[Client]:
    """Mail the client that the panel is open to them, now or again."""
    return _reply(memberships.act(call, account, client, _KIND, members.inform))


@api.delete(
    "/accounts/{account}/clients/{client}", tag=CLIENT, demand=on_account("clients:manage"),
    needs_version=True, refusals=[AccountSuspended],
)  # fmt: skip
def remove_client(call: Call[Caller], account: AccountId, client: MembershipId) -> None:
    """Remove a client from the account; the person keeps the ID."""
    memberships.remove(call, account, client, _KIND)


def _reply(found: MemberSummary) -> Reply[Client]:
    return Reply(Client.of(found), version=found.version)
