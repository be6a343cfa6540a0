"""Users of an account: listed, added, given roles, blocked, removed."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from kernel.api import Answer, Asked, Call, Listing, Moment, Reply
from kernel.api.pages import listing
from tenants.accounts.service import AccountSuspended
from tenants.api import memberships
from tenants.api.callers import Caller
from tenants.api.demands import anywhere
from tenants.api.memberships import Client, ClientDraft, ClientQuery, MembershipChange, MembershipId
from tenants.api.rest import USER, AccountId, CompanyId, api, at
from tenants.database import db
from tenants.members import giving
from tenants.members import service as members
from tenants.members.authority import BeyondReach
from tenants.members.listing import MemberSummary
from tenants.members.service import (
    AlreadyMember,
    Blocked,
    LastAdmin,
    MemberKind,
    NotAnAddress,
    NotValid,
    Wanted,
)
from tenants.roles.power import MayNotGrant

_KIND = MemberKind.MEMBER
_EXAMPLE = "0197c2f4-8f7e-7b1a-9d3c-2b8f5e6a7c10"
_MOST_ROLES = 500
_TAKING = (MayNotGrant, BeyondReach, LastAdmin, AccountSuspended)


class Assignment(Answer):
    """A role that a user holds."""

    role_id: UUID
    role_name: str
    is_admin: bool
    company: str | None = Field(description="Null: on the whole account")
    company_is_archived: bool
    expires_at: Moment | None


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


class UserDraft(ClientDraft):
    """A user that is to be added, with the roles that they are to hold."""

    assignments: WantedAssignments = Field(default_factory=list)


class AssignmentsChange(Asked):
    """All roles that the user is to hold, as far as the asker's power reaches."""

    assignments: WantedAssignments


class UserQuery(ClientQuery):
    """Which users are wanted, in which order."""

    role: UUID | None = Field(None, description="Only who holds this role")
    company: CompanyId | None = Field(None, description="Only who has a role on this company")


@api.get("/accounts/{account}/users", tag=USER, demand=anywhere("users:read"))
def list_users(call: Call[Caller], account: AccountId, query: UserQuery) -> Listing[User]:
    """List users. Who holds the permission on some companies sees who works there."""
    page = memberships.page(call, account, _KIND, query, role=query.role, company=query.company)
    return listing(page, User.of)


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
    found = memberships.add(call, account, _KIND, body, wanted(body.assignments))
    return Reply(
        User.of(found), version=found.version, location=at(f"/accounts/{account}/users/{found.id}")
    )


@api.get(
    "/accounts/{account}/users/{user}", tag=USER, demand=anywhere("users:read"), gives_version=True
)
def get_user(call: Call[Caller], account: AccountId, user: MembershipId) -> Reply[User]:
    """Read a user."""
    return _reply(memberships.read(call, account, user, _KIND))


@api.patch(
    "/accounts/{account}/users/{user}", tag=USER, demand=anywhere("users:manage"),
    needs_version=True, refusals=[BeyondReach, NotValid, AccountSuspended],
)  # fmt: skip
def change_user(
    call: Call[Caller], account: AccountId, user: MembershipId, body: MembershipChange
) -> Reply[User]:
    """Change what the account calls a user."""
    return _reply(memberships.change(call, account, user, _KIND, body))


@api.put(
    "/accounts/{account}/users/{user}/assignments", tag=USER, demand=anywhere("users:manage"),
    needs_version=True, refusals=[*_TAKING, NotValid],
)  # fmt: skip
def set_assignments(
    call: Call[Caller], account: AccountId, user: MembershipId, body: AssignmentsChange
) -> Reply[User]:
    """Let a user hold exactly these roles, as far as one's own power reaches."""
    with db.transaction(tenant=account) as session:
        giving.set_assignments(
            session,
            account,
            user,
            wanted(body.assignments),
            version=call.expected_version,
            actor=call.caller.actor,
            now=call.now,
        )
        found = memberships.what_became(session, call, account, user, _KIND)
    return _reply(found)


@api.post(
    "/accounts/{account}/users/{user}/block", tag=USER, demand=anywhere("users:manage"),
    needs_version=True, refusals=_TAKING,
)  # fmt: skip
def block_user(call: Call[Caller], account: AccountId, user: MembershipId) -> Reply[User]:
    """Block a user: out of every application of the account within a second."""
    return _reply(
        memberships.act(call, account, user, _KIND, members.block, version=call.expected_version)
    )


@api.post(
    "/accounts/{account}/users/{user}/unblock", tag=USER, demand=anywhere("users:manage"),
    needs_version=True, refusals=_TAKING,
)  # fmt: skip
def unblock_user(call: Call[Caller], account: AccountId, user: MembershipId) -> Reply[User]:
    """Let a blocked user be what they were."""
    return _reply(
        memberships.act(call, account, user, _KIND, members.unblock, version=call.expected_version)
    )


@api.post(
    "/accounts/{account}/users/{user}/end-sessions", tag=USER, demand=anywhere("users:manage"),
    refusals=_TAKING,
)  # fmt: skip
def end_sessions_of_user(call: Call[Caller], account: AccountId, user: MembershipId) -> Reply[User]:
    """Let no sign-in up to now be used in this account. Other accounts notice nothing."""
    return _reply(memberships.act(call, account, user, _KIND, members.end_sessions))


@api.post(
    "/accounts/{account}/users/{user}/inform", tag=USER, demand=anywhere("users:manage"),
    refusals=[Blocked, BeyondReach, AccountSuspended],
)  # fmt: skip
def inform_user(call: Call[Caller], account: AccountId, user: MembershipId) -> Reply[User]:
    """Mail the user that they were added, now or again: what the mail holds is between it and them."""
    return _reply(memberships.act(call, account, user, _KIND, members.inform))


@api.delete(
    "/accounts/{account}/users/{user}", tag=USER, demand=anywhere("users:manage"),
    needs_version=True, refusals=_TAKING,
)  # fmt: skip
def remove_user(call: Call[Caller], account: AccountId, user: MembershipId) -> None:
    """Remove a user from the account; the person keeps the ID. The last admin stays."""
    memberships.remove(call, account, user, _KIND)


def wanted(assignments: list[WantedAssignment]) -> list[Wanted]:
    """Roles as a request names them, for the use case."""
    return [Wanted(one.role_id, one.company, one.expires_at) for one in assignments]


def _reply(found: MemberSummary) -> Reply[User]:
    return Reply(User.of(found), version=found.version)
