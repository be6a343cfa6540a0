"""The provisioning API: an application brings people into the accounts that have it."""

from collections.abc import Callable
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from idp.access.return_address import NotAnAddressOfOurs
from idp.access.service import How
from idp.provisioning import service
from idp.provisioning.drift import DETAILS
from idp.provisioning.service import Asked as Wish
from idp.provisioning.service import Provisioned, RoleAsked
from kernel.api import Answer, Asked, Call, Moment, OneLine, Query, problems
from kernel.api.problems import Problem, TooMany
from kernel.api.requests import described_at
from kernel.errors import NotFound, Refused
from tenants.accounts.service import AccountSuspended
from tenants.api.callers import Caller
from tenants.api.demands import by_itself
from tenants.api.memberships import Email, Language, Name, Phone
from tenants.api.rest import AccountId, CompanyId, api
from tenants.members.blocks import BlockedByAnother
from tenants.members.external_ids import ExternalIdTaken
from tenants.members.service import Blocked, MemberKind, NotAnAddress, NotValid
from tenants.roles.power import MayNotGrant

PROVISIONING = api.about(
    "Provisioning",
    "Applications bring people into the accounts that have them, and are told nothing of an ID.",
)

_DEMAND = by_itself()
_MOST_ROWS = 100
_MOST_ROLES = 100
_KINDS = {"user": MemberKind.MEMBER, "client": MemberKind.CLIENT}
_CALLED = {kind: name for name, kind in _KINDS.items()}
_WAYS = {"temporary-password": How.TEMPORARY_PASSWORD, "welcome-link": How.WELCOME_LINK}

ExternalId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        description="What the application calls the person in this account",
        examples=["client-17"],
    ),
    OneLine,
]
KindOfMembership = Literal["client", "user"]
Way = Literal["temporary-password", "welcome-link"]
ReturnTo = Annotated[
    str,
    Field(
        max_length=2000,
        description="Where the mail leads to: an address of the application, or of the portal",
    ),
]


class RoleDraft(Asked):
    """A role that a user is to hold."""

    role: Annotated[
        str, Field(max_length=100, description="Its id or its name", examples=["Sprzedaż"]), OneLine
    ]
    company: CompanyId | None = Field(None, description="Null: on the whole account")
    expires_at: Moment | None = Field(None, description="Null: for good")


class PersonDraft(Asked):
    """Who is wanted where, and as what."""

    account: AccountId
    external_id: ExternalId
    kind: KindOfMembership = Field(examples=["client"])
    email: Email
    given_name: Name | None = Field(None, examples=["Anna"])
    family_name: Name | None = Field(None, examples=["Nowak"])
    phone: Phone | None = Field(None, examples=["+48 601 000 000"])
    locale: Language | None = Field(None, examples=["pl"])
    assignments: list[RoleDraft] | None = Field(
        None,
        max_length=_MOST_ROLES,
        description="The user's roles of this application; null leaves them to the account",
    )
    delivery: Literal["temporary-password", "welcome-link", "none"] = Field(
        "none", description="What who has no way in yet gets by mail", examples=["welcome-link"]
    )
    return_to: ReturnTo | None = None
    dry_run: bool = Field(False, description="Check everything, change nothing")
    repair: bool = Field(False, description="Put right what differs")


class Batch(Asked):
    """Up to a hundred at once; each is carried out or refused by itself."""

    people: Annotated[list[PersonDraft], Field(min_length=1, max_length=_MOST_ROWS)]


class Named(Asked):
    """A person whom the application provisioned."""

    account: AccountId
    external_id: ExternalId


class AccessDraft(Named):
    """How the person is to be let in, if they have no way in yet."""

    delivery: Way = Field("temporary-password", examples=["welcome-link"])
    return_to: ReturnTo | None = None


class NamedQuery(Query):
    """A person whom the application provisioned."""

    account: AccountId
    external_id: ExternalId


class DriftFound(Answer):
    """Something that is not as the application asked for."""

    field: Literal[
        "given_name", "family_name", "phone", "locale", "external_id", "role", "state"
    ] = Field(description="`state`: others blocked the person, and no repair undoes that")
    asked: str | None = Field(
        description="Of a role: until when it is wanted, or `always`; null: it is not wanted"
    )
    found: str | None
    role_id: UUID | None
    company: str | None
    repaired: bool


class ProvisionedRole(Answer):
    """A role that the user holds and the application could give."""

    role_id: UUID
    role_name: str
    company: str | None = Field(description="Null: on the whole account")
    expires_at: Moment | None


class ProvisionedPerson(Answer):
    """A person in an account, as the account knows them. Whether they had an ID is told to nobody."""

    account: str
    external_id: str = Field(description="What the application calls the person now")
    membership_id: UUID | None = Field(description="Null: a dry run would have made it")
    kind: KindOfMembership
    state: str = Field(description="pending, active or blocked, as the account sees it")
    email: str
    given_name: str | None
    family_name: str | None
    phone: str | None
    locale: str | None
    assignments: list[ProvisionedRole]
    is_new: bool = Field(description="Whether the application had no name for the person here")
    drift: list[DriftFound] = Field(description="What differs from what was asked for")
    dry_run: bool


class RowResult(Answer):
    """What became of one row of a batch: a person, or a problem."""

    status: int = Field(description="As the request for this person alone would have been answered")
    account: str
    external_id: str
    person: ProvisionedPerson | None
    problem: Problem | None


class BatchResult(Answer):
    """A result for each row, in the order of the rows."""

    results: list[RowResult]


_POINTERS = {NotAnAddress: "/email", NotAnAddressOfOurs: "/return_to"}
_REFUSALS = (*(NotFound, ExternalIdTaken, MayNotGrant, NotValid, AccountSuspended, TooMany),)


@api.post(
    "/provisioning/people", tag=PROVISIONING, demand=_DEMAND, refusals=_REFUSALS, pointers=_POINTERS
)
def provision_person(call: Call[Caller], body: PersonDraft) -> ProvisionedPerson:
    """Have a person in an account, as a client or as a user with roles.

    Asking twice with the same external id does once, and tells what differs by now. A password that
    somebody has is never touched.
    """
    return _provision(call, body)


@api.post("/provisioning/people/batch", tag=PROVISIONING, demand=_DEMAND)
def provision_people(call: Call[Caller], body: Batch) -> BatchResult:
    """Have up to a hundred people in accounts. A row that is refused stops no other."""
    return BatchResult(results=[_row(call, draft) for draft in body.people])


@api.get(
    "/provisioning/people", tag=PROVISIONING, demand=_DEMAND, refusals=[NotFound, AccountSuspended]
)
def get_provisioned_person(call: Call[Caller], query: NamedQuery) -> ProvisionedPerson:
    """Read what is known of a person, and what differs from what was asked for last."""
    return _answer(
        query.account,
        service.find(query.account, query.external_id, client_id=_client(call), now=call.now),
    )


@api.post(
    "/provisioning/people/send-access", tag=PROVISIONING, demand=_DEMAND,
    refusals=[NotFound, Blocked, AccountSuspended, TooMany],
    pointers={NotAnAddressOfOurs: "/return_to"},
)  # fmt: skip
def send_access(call: Call[Caller], body: AccessDraft) -> ProvisionedPerson:
    """Mail the person once more («Wyślij dostęp ponownie»).

    Who has no way in yet gets a fresh secret, and the former one counts no more.
    """
    return _answer(
        body.account,
        service.send_access(
            body.account,
            body.external_id,
            how=_WAYS[body.delivery],
            return_to=body.return_to,
            client_id=_client(call),
            now=call.now,
        ),
    )


@api.post(
    "/provisioning/people/block", tag=PROVISIONING, demand=_DEMAND,
    refusals=[NotFound, MayNotGrant, AccountSuspended],
)  # fmt: skip
def block_provisioned_person(call: Call[Caller], body: Named) -> ProvisionedPerson:
    """Let the person's place in the account be good for nothing."""
    return _do(service.block, call, body)


@api.post(
    "/provisioning/people/unblock", tag=PROVISIONING, demand=_DEMAND,
    refusals=[NotFound, MayNotGrant, BlockedByAnother, AccountSuspended],
)  # fmt: skip
def unblock_provisioned_person(call: Call[Caller], body: Named) -> ProvisionedPerson:
    """Let a place that the application blocked be what it was. What others blocked stays blocked."""
    return _do(service.unblock, call, body)


@api.post(
    "/provisioning/people/remove", tag=PROVISIONING, demand=_DEMAND,
    refusals=[NotFound, MayNotGrant, BlockedByAnother, AccountSuspended],
)  # fmt: skip
def remove_provisioned_person(call: Call[Caller], body: Named) -> None:
    """End the person's place in the account, unless others blocked it. The ID stays the person's."""
    service.remove(body.account, body.external_id, client_id=_client(call), now=call.now)


def _do(deed: Callable[..., Provisioned], call: Call[Caller], body: Named) -> ProvisionedPerson:
    found = deed(body.account, body.external_id, client_id=_client(call), now=call.now)
    return _answer(body.account, found)


def _provision(call: Call[Caller], draft: PersonDraft) -> ProvisionedPerson:
    found = service.provision(_wish(draft), client_id=_client(call), now=call.now)
    return _answer(draft.account, found, dry_run=draft.dry_run)


def _row(call: Call[Caller], draft: PersonDraft) -> RowResult:
    person, problem, status = None, None, 200
    try:
        person = _provision(call, draft)
    except Refused as refusal:
        said = problems.describe(refusal, described_at=described_at(), pointers=_POINTERS)
        problem, status = Problem.model_validate(said), int(said["status"])
    return RowResult(
        status=status,
        account=draft.account,
        external_id=draft.external_id,
        person=person,
        problem=problem,
    )


def _wish(draft: PersonDraft) -> Wish:
    said = {name: getattr(draft, name) for name in DETAILS}
    return Wish(
        account=draft.account,
        external_id=draft.external_id,
        kind=_KINDS[draft.kind],
        email=draft.email,
        details={name: value for name, value in said.items() if value is not None},
        assignments=None
        if draft.assignments is None
        else tuple(RoleAsked(one.role, one.company, one.expires_at) for one in draft.assignments),
        how=_WAYS.get(draft.delivery),
        return_to=draft.return_to,
        dry_run=draft.dry_run,
        repair=draft.repair,
    )


def _answer(account: str, found: Provisioned, *, dry_run: bool = False) -> ProvisionedPerson:
    member = found.member
    return ProvisionedPerson(
        account=account,
        external_id=found.external_id,
        membership_id=None if dry_run and found.is_added else member.id,
        kind=_CALLED[member.kind],
        state=member.state.value,
        email=member.email,
        given_name=member.given_name,
        family_name=member.family_name,
        phone=member.phone,
        locale=member.locale,
        assignments=[ProvisionedRole.of(one) for one in found.roles],
        is_new=found.is_new,
        drift=[DriftFound.of(one) for one in found.drift],
        dry_run=dry_run,
    )


def _client(call: Call[Caller]) -> str:
    client_id = call.caller.client_id
    if client_id is None:
        raise LookupError("only applications are let in here")
    return client_id
