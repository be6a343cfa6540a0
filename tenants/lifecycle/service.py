"""Creating an account, suspending it, handing it over, closing it.

Inner functions take the session of the account's own transaction. Who may do it is decided by who
calls: creating is everybody's, suspending is the operator's, handing over and closing are an
admin's (signed in anew, SECURITY 12.8) or the operator's.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kernel.errors import NotFound, Refused
from tenants.accounts import service as accounts
from tenants.accounts.service import AccountSummary, IdTaken, Status
from tenants.api_keys.models import ApiKey
from tenants.audit import record
from tenants.companies import service as companies
from tenants.database import db
from tenants.events import AccountEvent
from tenants.facts.service import Kind, note
from tenants.invitations.models import Invitation
from tenants.members import admins, giving, listing
from tenants.members import service as members
from tenants.members.assignments import Place, Wanted
from tenants.members.models import Membership
from tenants.members.service import Added, MemberKind
from tenants.people import service as people
from tenants.roles import service as roles
from tenants.roles.models import Role
from tenants.roles.power import OPERATOR, Actor

__all__ = [
    "NoSuchMember",
    "Overview",
    "add_admin",
    "close",
    "create",
    "create_in",
    "hand_over",
    "overview",
    "resume",
    "suspend",
]

_TRIES = 5
_OF_THE_MAIN_COMPANY = ("name", "nip", "street", "postcode", "town", "country")


class NoSuchMember(Refused):
    """The person is no member of the account who could be its admin now."""

    status = 409
    reason = "no_active_member"


@dataclass(frozen=True)
class Overview:
    """An account with what is counted on it (TEN-2)."""

    account: AccountSummary
    companies: int
    """Without those that are archived."""
    users: int
    """Its members, whatever state they are in; clients are none."""


def create(
    *,
    name: str,
    nip: str | None = None,
    creator: UUID | None,
    actor: str,
    now: datetime,
    **details: Any,
) -> AccountSummary:
    """A new account with its main company and the admin role; who creates it is its first admin.

    Without a creator nobody is in it yet, and somebody is added next. Raises NotValid, NotFound.
    """
    for _ in range(_TRIES):
        account = accounts.new_id()
        try:
            with db.transaction(tenant=account) as session:
                return create_in(
                    session,
                    account,
                    name=name,
                    nip=nip,
                    creator=creator,
                    actor=actor,
                    now=now,
                    **details,
                )
        except IdTaken:
            continue
    raise RuntimeError("random ids repeat: the randomness of this machine can't be trusted")


def create_in(
    session: Session,
    account: str,
    *,
    name: str,
    nip: str | None = None,
    creator: UUID | None,
    actor: str,
    now: datetime,
    **details: Any,
) -> AccountSummary:
    """The same under an id from `accounts.new_id()`, whose transaction this is; raises IdTaken too."""
    person = people.find(session, creator) if creator is not None else None
    if creator is not None and not (person and person.is_active):
        raise NotFound(f"no active person {creator}")
    made = accounts.insert(
        session, account, {"name": name, "nip": nip, **details}, created_by=creator, now=now
    )
    record(
        session,
        account=account,
        event=AccountEvent.CREATED,
        actor=actor,
        subject=f"account:{account}",
        now=now,
        personal={"name": made.name, "nip": made.nip},
    )
    note(session, Kind.ACCOUNT_CREATED, account=account, person_id=creator, now=now)
    companies.create(
        session,
        account,
        {field: getattr(made, field) for field in _OF_THE_MAIN_COMPANY},
        actor=actor,
        now=now,
        is_main=True,
    )
    admin = roles.create_admin(session, account, now=now)
    if person is not None:
        members.add(
            session,
            account,
            email=person.email,
            given_name=person.given_name,
            family_name=person.family_name,
            locale=person.locale,
            assignments=[Wanted(admin)],
            # Nobody is there yet who could give it.
            actor=Actor(actor, OPERATOR),
            now=now,
            accepted=True,
        )
    return made


def overview(session: Session, account: str) -> Overview | None:
    """The account with its numbers, in whatever state it is."""
    found = accounts.find(session, account)
    if found is None:
        return None
    users = listing.count(session, account)
    return Overview(account=found, companies=companies.count(session, account), users=users)


def suspend(
    session: Session, account: str, *, reason: str | None, actor: str, now: datetime
) -> bool:
    """Stop an account: nobody works in it until it is resumed. Answers whether that is news."""
    if accounts.hold(session, account, even_suspended=True).status == Status.SUSPENDED:
        return False
    accounts.set_status(session, account, Status.SUSPENDED, now=now)
    _tell(session, AccountEvent.SUSPENDED, Kind.ACCOUNT_SUSPENDED, account, actor, now, reason)
    return True


def resume(session: Session, account: str, *, actor: str, now: datetime) -> bool:
    """Let a suspended account go on, with all that it has. Answers whether that is news."""
    if accounts.hold(session, account, even_suspended=True).is_active:
        return False
    accounts.set_status(session, account, Status.ACTIVE, now=now)
    _tell(session, AccountEvent.RESUMED, Kind.ACCOUNT_RESUMED, account, actor, now)
    return True


def hand_over(
    session: Session,
    account: str,
    *,
    to: UUID,
    instead_of: UUID | None = None,
    actor: Actor,
    now: datetime,
) -> AccountSummary:
    """Make an active member the admin of an account.

    With `instead_of`, that person is its admin no more. An account that waited for an admin waits no
    longer. Raises NotFound, AccountSuspended, NoSuchMember, and MayNotGrant to who is no admin.
    """
    was_flagged = accounts.hold(session, account).flagged_at is not None
    admin = Wanted(_admin_role(session, account))
    heir = _membership(session, account, to)
    if heir is not None:
        giving.give(session, account, heir, admin, actor=actor, now=now)
    if heir is None or not admins.acts_as_admin(session, account, heir):
        raise NoSuchMember(f"{to} is no active member of {account}")
    former = _membership(session, account, instead_of) if instead_of not in (None, to) else None
    if former is not None:
        place = Place(admin.role_id, None)
        giving.take(session, account, former, place, actor=actor, now=now)
    accounts.unflag(session, account)
    record(
        session,
        account=account,
        event=AccountEvent.HANDED_OVER,
        actor=actor.id,
        subject=f"person:{to}",
        now=now,
        details={
            "instead_of": f"person:{instead_of}" if former is not None else None,
            "was_flagged": was_flagged,
        },
    )
    return _sure(session, account)


def add_admin(session: Session, account: str, *, email: str, actor: Actor, now: datetime) -> Added:
    """Let somebody into an account as its admin, and tell them; who has an ID already accepts first.

    Raises NotAnAddress, AlreadyMember, MayNotGrant, and what `accounts.hold` does.
    """
    wanted = [Wanted(_admin_role(session, account))]
    return members.add(
        session, account, email=email, assignments=wanted, actor=actor, now=now, silently=False
    )


def close(session: Session, account: str, *, actor: str, now: datetime) -> AccountSummary:
    """End an account for good: its keys and invitations too, and every way into it.

    Its rows stay, so that its history can be read and its id never returns. Raises NotFound.
    """
    accounts.hold(session, account, even_suspended=True)
    accounts.set_status(session, account, Status.CLOSED, now=now)
    session.execute(
        update(ApiKey)
        .where(ApiKey.tenant_id == account, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now, updated_at=now)
    )
    session.execute(
        update(Invitation)
        .where(
            Invitation.tenant_id == account,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .values(revoked_at=now, updated_at=now)
    )
    _tell(session, AccountEvent.CLOSED, Kind.ACCOUNT_CLOSED, account, actor, now)
    return _sure(session, account)


def _admin_role(session: Session, account: str) -> UUID:
    found = session.scalar(
        select(Role.id).where(Role.tenant_id == account, Role.is_admin.is_(True))
    )
    if found is None:
        raise NotFound(f"no account {account}")
    return found


def _membership(session: Session, account: str, person_id: UUID | None) -> UUID | None:
    return session.scalar(
        select(Membership.id).where(
            Membership.tenant_id == account,
            Membership.person_id == person_id,
            Membership.kind == MemberKind.MEMBER,
        )
    )


def _tell(
    session: Session,
    event: AccountEvent,
    kind: Kind,
    account: str,
    actor: str,
    now: datetime,
    reason: str | None = None,
) -> None:
    record(
        session,
        account=account,
        event=event,
        actor=actor,
        subject=f"account:{account}",
        now=now,
        details={"reason": reason} if reason else None,
    )
    note(session, kind, account=account, person_id=None, now=now)


def _sure(session: Session, account: str) -> AccountSummary:
    found = accounts.find(session, account)
    if found is None:
        raise NotFound(f"no account {account}")
    return found
