"""Users and clients of an account: listed, added, given roles, blocked, removed.

Both are memberships, and what can be done to them is the same, but for roles. So the operations of
both are declared here, in pairs.
"""

from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session

from kernel.api import Answer, Asked, Call, Change, Listing, Moment, OneLine, PageQuery, Reply
from kernel.api.pages import listing
from tenants.accounts.service import AccountSuspended
from tenants.api.callers import Caller
from tenants.api.demands import anywhere, on_account
from tenants.api.rest import CLIENT, USER, AccountId, CompanyId, api, at
from tenants.database import db
from tenants.members import listing as seen
from tenants.members import service as members
from tenants.members.listing import MemberSummary
from tenants.members.service import (
    MANAGE,
    READ,
    AlreadyMember,
    BeyondReach,
    Blocked,
    LastAdmin,
    MemberKind,
    NotAnAddress,
    NotValid,
    State,
    Wanted,
)
from tenants.roles.power import Actor, MayNotGrant, Power

_EXAMPLE = "0197c2f4-8f7e-7b1a-9d3c-2b8f5e6a7c10"
_MOST_ROLES = 500

MembershipId = Annotated[UUID, Field(description="The id of the membership", examples=[_EXAMPLE])]
Name = Annotated[str, Field(max_length=100), OneLine]
Phone = Annotated[str, Field(max_length=32), OneLine]
Language = Literal["pl", "en"]
Email = Annotated[str, Field(max_length=254, examples=["anna.nowak@example.com"])]

_TAKING = (MayNotGrant, BeyondReach, LastAdmin, AccountSuspended)


class Assignment(Answer):
    """A role that a user holds."""

    role_id: UUID
    role_name: str
    is_admin: bool
    company: str | None = Field(description="Null: on the whole account")
    company_is_archived: bool
    expires_at: Moment | None


class Client(Answer):
    """A client of the account: the state and the name are what the account knows."""

    id: UUID = Field(description="Of the membership")
    person_id: UUID | None = Field(description="sub of the person's tokens; null until they came")
    state: str = Field(description="pending until the person came, then active, or blocked")
    email: str
    given_name: str | None
    family_name: str | None
    phone: str | None
    locale: str | None
    signed_out_at: Moment | None = Field(description="Sign-ins up to then are not used here")
    version: int
    created_at: Moment
    updated_at: Moment


class User(Client):
    """A user of the account, with the roles that the asker may see."""

    assignments: list[Assignment]
    companies: int = Field(description="On how many the user works, as far as the asker sees")
    has_more: bool = Field(description="Whether there are roles that the asker does not see")


class WantedAssignment(Asked):
    """A role that a user is to hold."""

    role_id: UUID = Field(examples=[_EXAMPLE])
    company: CompanyId | None = Field(None, description="Null: on the whole account")
    expires_at: Moment | None = Field(None, description="Null: for good")


WantedAssignments = Annotated[
    list[WantedAssignment], Field(max_length=_MOST_ROLES, examples=[[{"role_id": _EXAMPLE}]])
]


class ClientDraft(Asked):
    """A client that is to be added. Whether the address had an ID is told to nobody."""

    email: Email
    given_name: Name | None = Field(None, examples=["Anna"])
    family_name: Name | None = Field(None, examples=["Nowak"])
    phone: Phone | None = Field(None, examples=["+48 601 000 000"])
    locale: Language | None = Field(None, examples=["pl"])
    inform: bool = Field(False, description="Whether a mail tells the person", examples=[True])


class UserDraft(ClientDraft):
    """A user that is to be added, with the roles that they are to hold."""

    assignments: WantedAssignments = Field(default_factory=list)


class MembershipChange(Change):
    """What is to be changed; what is left out stays. The address is that of the ID, and stays."""

    given_name: Name | None = Field(None, examples=["Anna"])
    family_name: Name | None = Field(None, examples=["Nowak-Lis"])
    phone: Phone | None = None
    locale: Language | None = None


class AssignmentsChange(Asked):
    """All roles that the user is to hold, as far as the asker's power reaches."""

    assignments: WantedAssignments


class ClientQuery(PageQuery):
    """Which clients are wanted, in which order."""

    q: str = Field("", max_length=200, description="Parts of the name, the address or the phone")
    state: Literal["pending", "active", "blocked"] | None = Field(None, description="Only these")
    order: Literal["name", "-name", "email", "-email"] = Field(
        "name", description="With a hyphen: falling"
    )


class UserQuery(ClientQuery):
    """Which users are wanted, in which order."""

    role: UUID | None = Field(None, description="Only who holds this role")
    company: CompanyId | None = Field(None, description="Only who has a role on this company")


_USERS, _CLIENTS = MemberKind.MEMBER, MemberKind.CLIENT


@api.get("/accounts/{account}/users", tag=USER, demand=anywhere("users:read"))
def list_users(call: Call[Caller], account: AccountId, query: UserQuery) -> Listing[User]:
    """List users. Who holds the permission on some companies sees who works there."""
    page = _page(call, account, _USERS, query, role=query.role, company=query.company)
    return listing(page, _user)


@api.post(
    "/accounts/{account}/users", tag=USER, demand=anywhere("users:manage"), makes=True,
    gives_version=True, pointers={NotAnAddress: "/email"},
    refusals=[AlreadyMember, MayNotGrant, BeyondReach, NotValid, AccountSuspended],
)  # fmt: skip
def add_user(call: Call[Caller], account: AccountId, body: UserDraft) -> Reply[User]:
    """Add a user, with roles that one holds oneself.

    Without a mail the person comes in by registering, or by a new password («Utwórz nowego
    użytkownika»).
    """
    found = _add(call, account, _USERS, body, wanted(body.assignments))
    return Reply(
        _user(found), version=found.version, location=at(f"/accounts/{account}/users/{found.id}")
    )


@api.get(
    "/accounts/{account}/users/{user}", tag=USER, demand=anywhere("users:read"), gives_version=True
)
def get_user(call: Call[Caller], account: AccountId, user: MembershipId) -> Reply[User]:
    """Read a user."""
    return _user_reply(_read(call, account, user, _USERS))


@api.patch(
    "/accounts/{account}/users/{user}", tag=USER, demand=anywhere("users:manage"),
    needs_version=True, refusals=[BeyondReach, NotValid, AccountSuspended],
)  # fmt: skip
def change_user(
    call: Call[Caller], account: AccountId, user: MembershipId, body: MembershipChange
) -> Reply[User]:
    """Change what the account calls a user."""
    return _user_reply(_change(call, account, user, _USERS, body))


@api.put(
    "/accounts/{account}/users/{user}/assignments", tag=USER, demand=anywhere("users:manage"),
    needs_version=True, refusals=[*_TAKING, NotValid],
)  # fmt: skip
def set_assignments(
    call: Call[Caller], account: AccountId, user: MembershipId, body: AssignmentsChange
) -> Reply[User]:
    """Let a user hold exactly these roles, as far as one's own power reaches."""
    with db.transaction(tenant=account) as session:
        members.set_assignments(
            session,
            account,
            user,
            wanted(body.assignments),
            version=call.expected_version,
            actor=call.caller.actor,
            now=call.now,
        )
        found = _seen(session, call, account, user, _USERS)
    return _user_reply(found)


@api.post(
    "/accounts/{account}/users/{user}/block", tag=USER, demand=anywhere("users:manage"),
    needs_version=True, refusals=_TAKING,
)  # fmt: skip
def block_user(call: Call[Caller], account: AccountId, user: MembershipId) -> Reply[User]:
    """Block a user: out of every application of the account within a second."""
    return _user_reply(_do(call, account, user, _USERS, members.block))


@api.post(
    "/accounts/{account}/users/{user}/unblock", tag=USER, demand=anywhere("users:manage"),
    needs_version=True, refusals=_TAKING,
)  # fmt: skip
def unblock_user(call: Call[Caller], account: AccountId, user: MembershipId) -> Reply[User]:
    """Let a blocked user be what they were."""
    return _user_reply(_do(call, account, user, _USERS, members.unblock))


@api.post(
    "/accounts/{account}/users/{user}/end-sessions", tag=USER, demand=anywhere("users:manage"),
    refusals=_TAKING,
)  # fmt: skip
def end_sessions_of_user(call: Call[Caller], account: AccountId, user: MembershipId) -> Reply[User]:
    """Let no sign-in up to now be used in this account. Other accounts notice nothing."""
    return _user_reply(_end_sessions(call, account, user, _USERS))


@api.post(
    "/accounts/{account}/users/{user}/inform", tag=USER, demand=anywhere("users:manage"),
    refusals=[Blocked, BeyondReach, AccountSuspended],
)  # fmt: skip
def inform_user(call: Call[Caller], account: AccountId, user: MembershipId) -> Reply[User]:
    """Mail the user that they were added, now or again: what the mail holds is between it and them."""
    return _user_reply(_inform(call, account, user, _USERS))


@api.delete(
    "/accounts/{account}/users/{user}", tag=USER, demand=anywhere("users:manage"),
    needs_version=True, refusals=_TAKING,
)  # fmt: skip
def remove_user(call: Call[Caller], account: AccountId, user: MembershipId) -> None:
    """Remove a user from the account; the person keeps the ID. The last admin stays."""
    _remove(call, account, user, _USERS)


@api.get("/accounts/{account}/clients", tag=CLIENT, demand=on_account("clients:read"))
def list_clients(call: Call[Caller], account: AccountId, query: ClientQuery) -> Listing[Client]:
    """List clients."""
    return listing(_page(call, account, _CLIENTS, query), _client)


@api.post(
    "/accounts/{account}/clients", tag=CLIENT, demand=on_account("clients:manage"), makes=True,
    gives_version=True, refusals=[AlreadyMember, NotValid, AccountSuspended],
    pointers={NotAnAddress: "/email"},
)  # fmt: skip
def add_client(call: Call[Caller], account: AccountId, body: ClientDraft) -> Reply[Client]:
    """Add a client, who may open the account's client panel, and nothing else."""
    found = _add(call, account, _CLIENTS, body, [])
    return Reply(
        _client(found),
        version=found.version,
        location=at(f"/accounts/{account}/clients/{found.id}"),
    )


@api.get(
    "/accounts/{account}/clients/{client}", tag=CLIENT, demand=on_account("clients:read"),
    gives_version=True,
)  # fmt: skip
def get_client(call: Call[Caller], account: AccountId, client: MembershipId) -> Reply[Client]:
    """Read a client."""
    return _client_reply(_read(call, account, client, _CLIENTS))


@api.patch(
    "/accounts/{account}/clients/{client}", tag=CLIENT, demand=on_account("clients:manage"),
    needs_version=True, refusals=[NotValid, AccountSuspended],
)  # fmt: skip
def change_client(
    call: Call[Caller], account: AccountId, client: MembershipId, body: MembershipChange
) -> Reply[Client]:
    """Change what the account calls a client."""
    return _client_reply(_change(call, account, client, _CLIENTS, body))


@api.post(
    "/accounts/{account}/clients/{client}/block", tag=CLIENT, demand=on_account("clients:manage"),
    needs_version=True, refusals=[AccountSuspended],
)  # fmt: skip
def block_client(call: Call[Caller], account: AccountId, client: MembershipId) -> Reply[Client]:
    """Block a client: the client panel shows nothing of this account any more."""
    return _client_reply(_do(call, account, client, _CLIENTS, members.block))


@api.post(
    "/accounts/{account}/clients/{client}/unblock", tag=CLIENT,
    demand=on_account("clients:manage"), needs_version=True, refusals=[AccountSuspended],
)  # fmt: skip
def unblock_client(call: Call[Caller], account: AccountId, client: MembershipId) -> Reply[Client]:
    """Let a blocked client be what they were."""
    return _client_reply(_do(call, account, client, _CLIENTS, members.unblock))


@api.post(
    "/accounts/{account}/clients/{client}/inform", tag=CLIENT,
    demand=on_account("clients:manage"), refusals=[Blocked, AccountSuspended],
)  # fmt: skip
def inform_client(call: Call[Caller], account: AccountId, client: MembershipId) -> Reply[Client]:
    """Mail the client that the panel is open to them, now or again."""
    return _client_reply(_inform(call, account, client, _CLIENTS))


@api.delete(
    "/accounts/{account}/clients/{client}", tag=CLIENT, demand=on_account("clients:manage"),
    needs_version=True, refusals=[AccountSuspended],
)  # fmt: skip
def remove_client(call: Call[Caller], account: AccountId, client: MembershipId) -> None:
    """Remove a client from the account; the person keeps the ID."""
    _remove(call, account, client, _CLIENTS)


def _page(
    call: Call[Caller],
    account: str,
    kind: MemberKind,
    query: ClientQuery,
    **narrowing: Any,
) -> Any:
    with db.reading(tenant=account) as session:
        return seen.listed(
            session,
            account,
            kind=kind,
            actor=call.caller.actor,
            asked=query.page,
            now=call.now,
            text=query.q,
            state=State(query.state) if query.state else None,
            order=query.order.removeprefix("-"),
            descending=query.order.startswith("-"),
            **narrowing,
        )


def _read(call: Call[Caller], account: str, membership: UUID, kind: MemberKind) -> MemberSummary:
    with db.reading(tenant=account) as session:
        return seen.find(
            session, account, membership, kind=kind, actor=call.caller.actor, now=call.now
        )


def _add(
    call: Call[Caller],
    account: str,
    kind: MemberKind,
    body: ClientDraft,
    assignments: list[Wanted],
) -> MemberSummary:
    with db.transaction(tenant=account) as session:
        added = members.add(
            session,
            account,
            kind=kind,
            email=body.email,
            given_name=body.given_name,
            family_name=body.family_name,
            phone=body.phone,
            locale=body.locale,
            assignments=assignments,
            actor=call.caller.actor,
            now=call.now,
            silently=not body.inform,
        )
        return _seen(session, call, account, added.membership_id, kind)


def _change(
    call: Call[Caller],
    account: str,
    membership: UUID,
    kind: MemberKind,
    body: MembershipChange,
) -> MemberSummary:
    with db.transaction(tenant=account) as session:
        members.change(
            session,
            account,
            membership,
            body.given(),
            kind=kind,
            version=call.expected_version,
            actor=call.caller.actor,
            now=call.now,
        )
        return _seen(session, call, account, membership, kind)


def _do(
    call: Call[Caller], account: str, membership: UUID, kind: MemberKind, deed: Any
) -> MemberSummary:
    with db.transaction(tenant=account) as session:
        deed(
            session,
            account,
            membership,
            kind=kind,
            version=call.expected_version,
            actor=call.caller.actor,
            now=call.now,
        )
        return _seen(session, call, account, membership, kind)


def _end_sessions(
    call: Call[Caller], account: str, membership: UUID, kind: MemberKind
) -> MemberSummary:
    with db.transaction(tenant=account) as session:
        members.end_sessions(
            session, account, membership, kind=kind, actor=call.caller.actor, now=call.now
        )
        return _seen(session, call, account, membership, kind)


def _inform(call: Call[Caller], account: str, membership: UUID, kind: MemberKind) -> MemberSummary:
    with db.transaction(tenant=account) as session:
        members.inform(
            session, account, membership, kind=kind, actor=call.caller.actor, now=call.now
        )
        return _seen(session, call, account, membership, kind)


def _remove(call: Call[Caller], account: str, membership: UUID, kind: MemberKind) -> None:
    with db.transaction(tenant=account) as session:
        members.remove(
            session,
            account,
            membership,
            kind=kind,
            version=call.expected_version,
            actor=call.caller.actor,
            now=call.now,
        )


def _seen(
    session: Session, call: Call[Caller], account: str, membership: UUID, kind: MemberKind
) -> MemberSummary:
    """What was just changed: whoever may change it may see what became of it."""
    actor = seeing_what_is_managed(call.caller.actor, kind)
    return seen.find(session, account, membership, kind=kind, actor=actor, now=call.now)


def seeing_what_is_managed(actor: Actor, kind: MemberKind) -> Actor:
    """The same actor, who may also read wherever they may manage."""
    power = actor.power

    def widened(rights: frozenset[Any]) -> frozenset[Any]:
        return rights | {READ[kind]} if MANAGE[kind] in rights else rights

    wider: Power = replace(
        power,
        on_account=widened(power.on_account),
        on_companies={company: widened(held) for company, held in power.on_companies.items()},
    )
    return replace(actor, power=wider)


def wanted(assignments: list[WantedAssignment]) -> list[Wanted]:
    """Roles as a request names them, for the use case."""
    return [Wanted(one.role_id, one.company, one.expires_at) for one in assignments]


def _client(found: MemberSummary) -> Client:
    return Client.of(found)


def _user(found: MemberSummary) -> User:
    return User.of(found)


def _user_reply(found: MemberSummary) -> Reply[User]:
    return Reply(_user(found), version=found.version)


def _client_reply(found: MemberSummary) -> Reply[Client]:
    return Reply(_client(found), version=found.version)
