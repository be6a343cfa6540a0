"""What the operations on `users` and on `clients` share: both are memberships, and differ by roles alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session

from kernel.api import Answer, Asked, Call, Change, Moment, OneLine, PageQuery
from kernel.pages import Page
from tenants.api.callers import Caller
from tenants.database import db
from tenants.members import listing as seen
from tenants.members import service as members
from tenants.members.authority import MANAGE, READ
from tenants.members.listing import MemberSummary
from tenants.members.service import MemberKind, State, Wanted
from tenants.roles.power import Actor, Power

_EXAMPLE = "0197c2f4-8f7e-7b1a-9d3c-2b8f5e6a7c10"

MembershipId = Annotated[UUID, Field(description="The id of the membership", examples=[_EXAMPLE])]
Name = Annotated[str, Field(max_length=100), OneLine]
Phone = Annotated[str, Field(max_length=32), OneLine]
Language = Literal["pl", "en"]
Email = Annotated[str, Field(max_length=254, examples=["anna.nowak@example.com"])]


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


class ClientDraft(Asked):
    """A client that is to be added. Whether the address had an ID is told to nobody."""

    email: Email
    given_name: Name | None = Field(None, examples=["Anna"])
    family_name: Name | None = Field(None, examples=["Nowak"])
    phone: Phone | None = Field(None, examples=["+48 601 000 000"])
    locale: Language | None = Field(None, examples=["pl"])
    inform: bool = Field(False, description="Whether a mail tells the person", examples=[True])


class MembershipChange(Change):
    """What is to be changed; what is left out stays. The address is that of the ID, and stays."""

    given_name: Name | None = Field(None, examples=["Anna"])
    family_name: Name | None = Field(None, examples=["Nowak-Lis"])
    phone: Phone | None = None
    locale: Language | None = None


class ClientQuery(PageQuery):
    """Which clients are wanted, in which order."""

    q: str = Field("", max_length=200, description="Parts of the name, the address or the phone")
    state: Literal["pending", "active", "blocked"] | None = Field(None, description="Only these")
    order: Literal["name", "-name", "email", "-email"] = Field(
        "name", description="With a hyphen: falling"
    )


def page(
    call: Call[Caller], account: str, kind: MemberKind, query: ClientQuery, **narrowing: Any
) -> Page[MemberSummary]:
    """One page of them, as the caller sees it."""
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


def read(call: Call[Caller], account: str, membership: UUID, kind: MemberKind) -> MemberSummary:
    """One of them, as the caller sees it."""
    with db.reading(tenant=account) as session:
        return seen.find(
            session, account, membership, kind=kind, actor=call.caller.actor, now=call.now
        )


def add(
    call: Call[Caller],
    account: str,
    kind: MemberKind,
    body: ClientDraft,
    assignments: Sequence[Wanted] = (),
) -> MemberSummary:
    """Add somebody, and show what became of it."""
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
        return what_became(session, call, account, added.membership_id, kind)


def change(
    call: Call[Caller],
    account: str,
    membership: UUID,
    kind: MemberKind,
    body: MembershipChange,
) -> MemberSummary:
    """Change what the account calls somebody, and show what became of it."""
    return act(
        call,
        account,
        membership,
        kind,
        members.change,
        values=body.given(),
        version=call.expected_version,
    )


def act(
    call: Call[Caller],
    account: str,
    membership: UUID,
    kind: MemberKind,
    deed: Callable[..., Any],
    **said: Any,
) -> MemberSummary:
    """Do something to one of them, and show what became of it."""
    with db.transaction(tenant=account) as session:
        actor = call.caller.actor
        deed(session, account, membership, kind=kind, actor=actor, now=call.now, **said)
        return what_became(session, call, account, membership, kind)


def remove(call: Call[Caller], account: str, membership: UUID, kind: MemberKind) -> None:
    """End the membership."""
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


def what_became(
    session: Session, call: Call[Caller], account: str, membership: UUID, kind: MemberKind
) -> MemberSummary:
    """What was just changed: whoever may change it may see it, too."""
    actor = _seeing_what_is_managed(call.caller.actor, kind)
    return seen.find(session, account, membership, kind=kind, actor=actor, now=call.now)


def _seeing_what_is_managed(actor: Actor, kind: MemberKind) -> Actor:
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
