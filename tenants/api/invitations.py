"""Invitations: a place in the account that waits for whoever proves the address."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from kernel.api import Answer, Asked, Call, Listing, Moment, PageQuery, Reply
from kernel.api.pages import listing
from tenants.accounts.service import AccountSuspended
from tenants.api.callers import Caller
from tenants.api.demands import anywhere
from tenants.api.memberships import Email, Language, Name
from tenants.api.rest import INVITATION, AccountId, CompanyId, api, at
from tenants.api.users import WantedAssignments, wanted
from tenants.database import db
from tenants.invitations import service as invitations
from tenants.invitations.rows import InvitationSummary, NotOpen
from tenants.invitations.service import LONGEST, SHORTEST, USUAL, AlreadyInvited, TooManyInvitations
from tenants.members.authority import BeyondReach
from tenants.members.service import AlreadyMember, NotAnAddress, NotValid
from tenants.roles.power import MayNotGrant

_EXAMPLE = "0197c2f4-8f7e-7b1a-9d3c-2b8f5e6a7c30"
_DEMAND = anywhere("invitations:manage")
_HOUR = timedelta(hours=1)

InvitationId = Annotated[UUID, Field(description="The invitation's id", examples=[_EXAMPLE])]
Hours = Annotated[
    int,
    Field(
        ge=SHORTEST // _HOUR,
        le=LONGEST // _HOUR,
        description="How long its link opens the page",
        examples=[168],
    ),
]


class InvitedRole(Answer):
    """A role that the person will hold."""

    role_id: UUID
    company: CompanyId | None
    expires_at: Moment | None


class Invitation(Answer):
    """An invitation. Its link is in the mail, and nowhere else."""

    id: UUID
    state: Literal["open", "accepted", "declined", "revoked", "expired"]
    email: str
    given_name: str | None
    family_name: str | None
    locale: str | None
    invited_by: str = Field(description="person:<id> or key:<id>")
    assignments: list[InvitedRole]
    sent_at: Moment
    expires_at: Moment
    accepted_at: Moment | None
    revoked_at: Moment | None
    version: int
    created_at: Moment


class InvitationDraft(Asked):
    """Who is to be invited, and to what. Whether the address has an ID is told to nobody."""

    email: Email
    given_name: Name | None = Field(None, examples=["Anna"])
    family_name: Name | None = Field(None, examples=["Nowak"])
    locale: Language | None = Field(None, examples=["pl"])
    assignments: WantedAssignments = Field(default_factory=list)
    expires_in_hours: Hours = USUAL // _HOUR


class Repetition(Asked):
    """How long it is good for once more."""

    expires_in_hours: Hours = USUAL // _HOUR


@api.get("/accounts/{account}/invitations", tag=INVITATION, demand=_DEMAND)
def list_invitations(
    call: Call[Caller], account: AccountId, query: PageQuery
) -> Listing[Invitation]:
    """List invitations, the newest first."""
    with db.reading(tenant=account) as session:
        page = invitations.listed(session, account, actor=call.caller.actor, asked=query.page)
    return listing(page, lambda one: _seen(call, one))


@api.post(
    "/accounts/{account}/invitations", tag=INVITATION, demand=_DEMAND, makes=True,
    gives_version=True, pointers={NotAnAddress: "/email"},
    refusals=[
        AlreadyMember, AlreadyInvited, MayNotGrant, BeyondReach, NotValid, AccountSuspended,
        TooManyInvitations,
    ],
)  # fmt: skip
def invite(call: Call[Caller], account: AccountId, body: InvitationDraft) -> Reply[Invitation]:
    """Invite somebody by mail, with roles that one holds oneself: 500 an hour, five to an address."""
    with db.transaction(tenant=account) as session:
        made = invitations.invite(
            session,
            account,
            email=body.email,
            given_name=body.given_name,
            family_name=body.family_name,
            locale=body.locale,
            assignments=wanted(body.assignments),
            life=body.expires_in_hours * _HOUR,
            actor=call.caller.actor,
            now=call.now,
        )
    location = at(f"/accounts/{account}/invitations/{made.id}")
    return Reply(_seen(call, made), version=made.version, location=location)


@api.get(
    "/accounts/{account}/invitations/{invitation}", tag=INVITATION, demand=_DEMAND,
    gives_version=True,
)  # fmt: skip
def get_invitation(
    call: Call[Caller], account: AccountId, invitation: InvitationId
) -> Reply[Invitation]:
    """Read an invitation."""
    with db.reading(tenant=account) as session:
        found = invitations.find(session, account, invitation, actor=call.caller.actor)
    return Reply(_seen(call, found), version=found.version)


@api.post(
    "/accounts/{account}/invitations/{invitation}/send", tag=INVITATION, demand=_DEMAND,
    refusals=[NotOpen, MayNotGrant, BeyondReach, NotValid, AccountSuspended, TooManyInvitations],
)  # fmt: skip
def send_invitation(
    call: Call[Caller], account: AccountId, invitation: InvitationId, body: Repetition
) -> Reply[Invitation]:
    """Mail it once more; with that mail the link before opens nothing more.

    An account sends five mails an hour to an address, and 500 in all.
    """
    with db.transaction(tenant=account) as session:
        sent = invitations.send_again(
            session,
            account,
            invitation,
            life=body.expires_in_hours * _HOUR,
            actor=call.caller.actor,
            now=call.now,
        )
    return Reply(_seen(call, sent), version=sent.version)


@api.delete(
    "/accounts/{account}/invitations/{invitation}", tag=INVITATION, demand=_DEMAND,
    needs_version=True, refusals=[NotOpen, BeyondReach],
)  # fmt: skip
def revoke_invitation(call: Call[Caller], account: AccountId, invitation: InvitationId) -> None:
    """Take an invitation back."""
    with db.transaction(tenant=account) as session:
        invitations.revoke(
            session,
            account,
            invitation,
            version=call.expected_version,
            actor=call.caller.actor,
            now=call.now,
        )


def _seen(call: Call[Caller], found: InvitationSummary) -> Invitation:
    shown = {name: getattr(found, name) for name in Invitation.model_fields if name != "state"}
    roles = [
        InvitedRole(role_id=one.role_id, company=one.company, expires_at=one.expires_at)
        for one in found.assignments
    ]
    return Invitation(**shown | {"assignments": roles, "state": found.state(call.now).value})
