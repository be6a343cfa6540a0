"""The person whose token it is: where they are at home, and what they may there."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session

from kernel.api import Answer, Call, Listing, PageQuery, Query
from kernel.api.pages import listing
from kernel.errors import NotFound
from tenants.accounts.service import AccountSuspended
from tenants.api.callers import Caller
from tenants.api.demands import by_ours, oneself
from tenants.api.rest import ME, AccountId, CompanyId, api
from tenants.applications import service as applications
from tenants.applications.rights import Right
from tenants.applications.service import PermissionSummary
from tenants.database import db
from tenants.members import service as members
from tenants.members.service import Blocked, LastAdmin
from tenants.standing import places, scope
from tenants.standing import service as standings
from tenants.standing.places import CompanyPlace, Place
from tenants.standing.service import ACTIVE

_MOST_COMPANIES = 200


class Myself(Answer):
    """Whose token this is, and for which context it was given."""

    person_id: UUID = Field(description="The subject of the person's tokens (sub)")
    account: str | None
    company: str | None
    scopes: list[str]


class ContextCompany(Answer):
    """A company within the person's reach."""

    id: str
    name: str


class Context(Answer):
    """An account that the person belongs to."""

    account: str
    name: str
    status: str = Field(description="active, suspended or closed")
    member_state: str | None = Field(description="pending, active or blocked; null: no user of it")
    client_state: str | None = Field(description="active or blocked; null: no client of it")
    applications: list[str] = Field(description="What the account has")
    companies: list[ContextCompany] = Field(
        description=f"Where the person works as a user, by name; {_MOST_COMPANIES} at most"
    )


class Labels(Answer):
    """The same in each language."""

    en: str
    pl: str


class LabelledPermission(Answer):
    """A permission in words."""

    name: str
    labels: Labels


class PermittedApplication(Answer):
    """What may be done in one application."""

    id: str
    name: str
    permissions: list[LabelledPermission]


class Permitted(Answer):
    """What the person may do in a context."""

    account: str
    company: str | None
    applications: list[PermittedApplication]


class PermissionQuery(Query):
    """Which context is meant: by default that of the token."""

    account: AccountId | None = Field(None, description="That of the token, and no other")
    company: CompanyId | None = Field(None, description="A company of the account")


@api.get("/me", tag=ME, demand=oneself())
def get_myself(call: Call[Caller]) -> Myself:
    """Say whose token this is."""
    caller = call.caller
    return Myself(
        person_id=person_of(caller),
        account=caller.account,
        company=caller.company,
        scopes=sorted(caller.scopes),
    )


@api.get("/me/contexts", tag=ME, demand=oneself())
def list_my_contexts(call: Call[Caller], query: PageQuery) -> Listing[Context]:
    """List the accounts of the person by name, with the companies on which they work.

    An application that is not the installation's own is told of the account of its token, and of the
    company, where it is for one; with a token for no account, of none.
    """
    caller = call.caller
    person_id = person_of(caller)
    account = None if caller.is_ours else caller.account
    if account is None and not caller.is_ours:
        return Listing(items=[], next=None, total=None)
    with db.reading(person=person_id) as session:
        page = places.listed(session, person_id, asked=query.page, only=account)
    companies = _companies(page.items, caller, call.now)
    return listing(page, lambda place: _context(place, companies.get(place.account, ())))


@api.get("/me/permissions", tag=ME, demand=oneself(), refusals=[NotFound])
def list_my_permissions(call: Call[Caller], query: PermissionQuery) -> Permitted:
    """List what the person may do in the context of the token, or on one company of its account.

    A token for one company tells of no other. An application that is not the installation's own is
    told of its own permissions, and of those of this API.
    """
    caller = call.caller
    account, company = caller.account, query.company or caller.company
    if account is None or query.account not in (None, account):
        raise NotFound("not the context of the token")
    if caller.company not in (None, company):
        raise NotFound("the token is for another company")
    person_id = person_of(caller)
    with db.reading(tenant=account) as session:
        standing = standings.of(
            session, account=account, person_id=person_id, company=company, now=call.now
        )
        why_not = scope.why_not_there(standing, application=None, company=company)
        if standing is None or why_not is not None:
            raise NotFound(why_not or "no standing")
        return Permitted(
            account=account,
            company=company,
            applications=_permitted(session, caller, account, scope.rights_in(standing, company)),
        )


@api.post(
    "/me/contexts/{account}/accept", tag=ME, demand=by_ours(oneself()),
    refusals=[Blocked, AccountSuspended],
)  # fmt: skip
def accept_membership(call: Call[Caller], account: AccountId) -> None:
    """Take the place as a user that an account gave the person."""
    _demand_place(call.caller, account)
    with db.transaction(tenant=account) as session:
        members.accept(session, account, person_id=person_of(call.caller), now=call.now)


@api.post(
    "/me/contexts/{account}/leave", tag=ME, demand=by_ours(oneself()), refusals=[Blocked, LastAdmin]
)
def leave_account(call: Call[Caller], account: AccountId) -> None:
    """Give up the place as a user of an account, or decline it. The last admin stays."""
    _demand_place(call.caller, account)
    with db.transaction(tenant=account) as session:
        members.leave(session, account, person_id=person_of(call.caller), now=call.now)


def person_of(caller: Caller) -> UUID:
    """The person who asks; the gate lets nobody else this far."""
    if caller.person_id is None:
        raise NotFound("no person asks")
    return caller.person_id


def _demand_place(caller: Caller, account: str) -> None:
    """Whoever does not belong to an account learns nothing of it, not even that it is suspended."""
    person_id = person_of(caller)
    with db.reading(person=person_id) as session:
        if all(place.account != account for place in places.of_person(session, person_id)):
            raise NotFound(f"no place in {account}")


def _context(place: Place, companies: Sequence[CompanyPlace]) -> Context:
    return Context(
        account=place.account,
        name=place.name,
        status=place.status,
        member_state=place.member_state,
        client_state=place.client_state,
        applications=sorted(place.applications),
        companies=[ContextCompany.of(company) for company in companies],
    )


def _companies(
    found: Sequence[Place], caller: Caller, now: datetime
) -> Mapping[str, Sequence[CompanyPlace]]:
    working = [
        place.account for place in found if place.status == ACTIVE and place.member_state == ACTIVE
    ]
    if not working:
        return {}
    only = None if caller.is_ours else caller.company
    with db.reading(everywhere=True) as session:
        return places.companies_in(
            session, person_of(caller), working, only=only, most=_MOST_COMPANIES, now=now
        )


def _permitted(
    session: Session, caller: Caller, account: str, rights: frozenset[Right]
) -> list[PermittedApplication]:
    words: Mapping[Right, PermissionSummary] = applications.declared(session)
    return [
        PermittedApplication(
            id=application.id,
            name=application.name,
            permissions=[
                labelled(words[right])
                for right in sorted(rights, key=lambda right: words[right].position)
                if right.application == application.id
            ],
        )
        for application in applications.given_to(session, account)
        if caller.is_ours or application.id in {caller.application, applications.ACCOUNTS}
    ]


def labelled(permission: PermissionSummary) -> LabelledPermission:
    """A permission as answers tell it."""
    return LabelledPermission(
        name=permission.right.permission,
        labels=Labels(en=permission.label_en, pl=permission.label_pl),
    )
