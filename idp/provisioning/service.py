"""Bringing people into accounts, and keeping them as an application wants them (TEN-15).

A person is known to an application by an external id of its own. Asking twice does once, and what
differs by then is told, and put right where that was asked for. Nothing that is answered depends on
whether the address had an ID: the same statements, and one message to the worker, which alone looks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp.access import return_address
from idp.access.service import How
from idp.events import ProvisioningEvent
from idp.provisioning import delivery
from idp.provisioning.drift import DETAILS, Drift, Field, Intention, compare
from idp.provisioning.power import acting
from kernel.api.problems import TooMany
from kernel.errors import NotFound
from kernel.limits import Refusal, Window
from tenants.accounts import service as accounts
from tenants.accounts.details import NotValid
from tenants.audit import record
from tenants.database import db
from tenants.limits import limits
from tenants.members import details, external_ids, giving, listing
from tenants.members import service as members
from tenants.members.assignments import Held
from tenants.members.authority import MANAGE, check_giving
from tenants.members.external_ids import ExternalIdTaken
from tenants.members.listing import MemberSummary
from tenants.members.service import Blocked, MemberKind, State, Wanted
from tenants.people.address import canonical_email
from tenants.roles import service as roles
from tenants.roles.power import Actor, MayNotGrant, why_not_grant

PER_CLIENT = Window("provisioning:client", limit=20_000, every=timedelta(hours=1))
PER_ACCOUNT = Window("provisioning:account", limit=5_000, every=timedelta(hours=1))


@dataclass(frozen=True)
class RoleAsked:
    """A role by its id or its name, on the account or on one company."""

    role: str
    company: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Asked:
    """Who is wanted where, and as what."""

    account: str
    external_id: str
    kind: MemberKind
    email: str
    details: Mapping[str, str | None] = field(default_factory=dict)
    """Those that were said; the rest is left to the account."""
    assignments: tuple[RoleAsked, ...] | None = None
    """None: left to the account."""
    how: How | None = None
    """By what the person gets in; None: no mail."""
    return_to: str | None = None
    dry_run: bool = False
    repair: bool = False


@dataclass(frozen=True)
class Provisioned:
    """A membership that an application has a name for, as the application may know it."""

    member: MemberSummary
    external_id: str
    is_new: bool
    """Whether the application had no name for it before. It says nothing of the ID."""
    drift: tuple[Drift, ...]
    roles: tuple[Held, ...]
    """Those of its roles that the application could give."""
    is_added: bool = False
    """Whether the account had no such membership before."""


class _OnlyTried(Exception):
    """A dry run ends like this: everything was done, and all of it is undone."""

    def __init__(self, result: Provisioned) -> None:
        super().__init__()
        self.result = result


def provision(asked: Asked, *, client_id: str, now: datetime) -> Provisioned:
    """Have this person in this account, as asked.

    Raises NotFound, AccountSuspended, TooMany, NotAnAddress, NotValid, MayNotGrant, ExternalIdTaken,
    NotAnAddressOfOurs. A dry run raises the same, and changes nothing.
    """
    _count(asked.account, client_id, now)
    try:
        with db.transaction(tenant=asked.account) as session:
            result = _provision(session, asked, client_id, now)
            if asked.dry_run:
                raise _OnlyTried(result)
            return result
    except _OnlyTried as tried:
        return tried.result


def find(account: str, external_id: str, *, client_id: str, now: datetime) -> Provisioned:
    """What there is by this external id, and how it differs from what was asked for last."""
    with db.reading(tenant=account) as session:
        actor = acting(session, account, client_id=client_id)
        return _known(session, account, external_id, client_id, actor, now)


def send_access(
    account: str,
    external_id: str,
    *,
    how: How,
    return_to: str | None,
    client_id: str,
    now: datetime,
) -> Provisioned:
    """Have the person mailed once more («Wyślij dostęp ponownie»); a fresh secret supersedes.

    Raises NotFound, AccountSuspended, TooMany, Blocked, NotAnAddressOfOurs.
    """
    _count(account, client_id, now)
    with db.transaction(tenant=account) as session:
        actor = acting(session, account, client_id=client_id)
        accounts.hold(session, account)
        _check_return(session, return_to, client_id)
        found = _known(session, account, external_id, client_id, actor, now)
        if found.member.state is State.BLOCKED:
            raise Blocked(f"membership {found.member.id}")
        _deliver(session, account, found.member, how, return_to, client_id, now)
        event = ProvisioningEvent.ACCESS_SENT
        _record(session, account, event, found.member.id, client_id, now, how=how)
        return found


def block(account: str, external_id: str, *, client_id: str, now: datetime) -> Provisioned:
    """Let the membership be good for nothing; the account is told. Raises as `members.block` does."""
    return _do(members.block, account, external_id, client_id, now)


def unblock(account: str, external_id: str, *, client_id: str, now: datetime) -> Provisioned:
    """Let a membership that the application blocked be what it was; raises BlockedByAnother."""
    return _do(members.unblock, account, external_id, client_id, now)


def remove(account: str, external_id: str, *, client_id: str, now: datetime) -> None:
    """End the membership; the person keeps the ID, and the external id is free again.

    Raises BlockedByAnother, as `unblock` does.
    """
    with db.transaction(tenant=account) as session:
        actor = acting(session, account, client_id=client_id)
        found = _known(session, account, external_id, client_id, actor, now).member
        members.remove(session, account, found.id, kind=found.kind, actor=actor, now=now)


def _do(deed: Any, account: str, external_id: str, client_id: str, now: datetime) -> Provisioned:
    with db.transaction(tenant=account) as session:
        actor = acting(session, account, client_id=client_id)
        found = _known(session, account, external_id, client_id, actor, now).member
        deed(session, account, found.id, kind=found.kind, actor=actor, now=now)
        return _known(session, account, external_id, client_id, actor, now)


def _provision(session: Session, asked: Asked, client_id: str, now: datetime) -> Provisioned:
    account = asked.account
    actor = acting(session, account, client_id=client_id)
    # From here on whoever asks for the same waits, and then finds what this one made.
    accounts.hold(session, account)
    _check_return(session, asked.return_to, client_id)
    intention = _intention(session, asked, actor, now)
    address = canonical_email(asked.email)
    named = external_ids.find(session, account, client_id=client_id, external_id=asked.external_id)
    there = listing.with_address(session, account, address.key, kind=asked.kind)
    if named is not None and named != there:
        raise ExternalIdTaken(f"{client_id} calls somebody else so")
    is_added = there is None
    if there is None:
        there = _add(session, asked, intention, actor, now)
    found = _seen(session, asked, there, actor, now)
    own = _own_roles(session, account, found, actor)
    drift = compare(intention, found, own=own, by=actor.id)
    before = external_ids.of_membership(session, account, there, client_id=client_id)
    if before not in (None, asked.external_id):
        drift = (Drift(Field.EXTERNAL_ID, asked.external_id, before), *drift)
    if asked.repair and drift:
        _repair(session, asked, intention, found, drift, client_id, actor, now)
        drift = tuple(replace(one, repaired=one.field is not Field.STATE) for one in drift)
        found = _seen(session, asked, there, actor, now)
    if before is None:
        _name(session, asked, there, client_id, now)
        if found.state is not State.BLOCKED and asked.how is not None:
            _deliver(session, account, found, asked.how, asked.return_to, client_id, now)
    called = before if before is not None and not asked.repair else asked.external_id
    if called == asked.external_id:
        external_ids.note_asked(
            session, account, there, client_id=client_id, asked=intention.noted()
        )
    own = _own_roles(session, account, found, actor)
    return Provisioned(found, called, before is None, drift, own, is_added)


def _add(session: Session, asked: Asked, intention: Intention, actor: Actor, now: datetime) -> UUID:
    added = members.add(
        session,
        asked.account,
        email=asked.email,
        kind=asked.kind,
        assignments=intention.assignments or (),
        actor=actor,
        now=now,
        # The mail is ours to write: it may carry a temporary password.
        silently=True,
        **{name: intention.details.get(name) for name in DETAILS},  # type: ignore[arg-type]
    )
    return added.membership_id


def _repair(
    session: Session,
    asked: Asked,
    intention: Intention,
    found: MemberSummary,
    drift: Sequence[Drift],
    client_id: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Put right what differs. What the application may not give or take stays."""
    account = asked.account
    differing = {one.field for one in drift}
    if Field.EXTERNAL_ID in differing:
        _name(session, asked, found.id, client_id, now)
    changed = {name: value for name, value in intention.details.items() if name in differing}
    if changed:
        members.change(session, account, found.id, changed, kind=found.kind, actor=actor, now=now)
    if Field.ROLE in differing:
        taken = {(one.role_id, one.company) for one in drift if one.asked is None}
        wanted = {one.place: one for one in intention.assignments or ()}
        kept = [
            one.wanted
            for one in found.assignments
            if one.place not in wanted and one.place not in taken
        ]
        giving.set_assignments(
            session, account, found.id, [*wanted.values(), *kept], actor=actor, now=now
        )


def _name(
    session: Session, asked: Asked, membership_id: UUID, client_id: str, now: datetime
) -> None:
    """From now on the application has a name for the membership, and with it some power over it."""
    external_ids.give(
        session,
        asked.account,
        membership_id,
        client_id=client_id,
        external_id=asked.external_id,
    )
    _record(session, asked.account, ProvisioningEvent.NAMED, membership_id, client_id, now)


def _record(
    session: Session,
    account: str,
    event: ProvisioningEvent,
    membership_id: UUID,
    client_id: str,
    now: datetime,
    **said: str,
) -> None:
    record(
        session,
        account=account,
        event=event,
        actor=f"client:{client_id}",
        subject=f"member:{membership_id}",
        now=now,
        details=said,
    )


def _known(
    session: Session,
    account: str,
    external_id: str,
    client_id: str,
    actor: Actor,
    now: datetime,
) -> Provisioned:
    """The membership that the application calls so; raises NotFound."""
    membership_id = external_ids.find(
        session, account, client_id=client_id, external_id=external_id
    )
    if membership_id is None:
        raise NotFound(f"{client_id} calls nobody so in {account}")
    found = listing.find_any(session, account, membership_id, actor=actor, now=now)
    noted = external_ids.asked(session, account, membership_id, client_id=client_id)
    own = _own_roles(session, account, found, actor)
    drift = compare(Intention.of_note(noted), found, own=own, by=actor.id)
    return Provisioned(found, external_id, False, drift, own)


def _seen(
    session: Session, asked: Asked, membership_id: UUID, actor: Actor, now: datetime
) -> MemberSummary:
    return listing.find(
        session, asked.account, membership_id, kind=asked.kind, actor=actor, now=now
    )


def _own_roles(
    session: Session, account: str, found: MemberSummary, actor: Actor
) -> tuple[Held, ...]:
    """Those of the roles that the application may give there, and so may know of."""
    known = roles.known(session, account, {one.role_id for one in found.assignments})
    power = actor.power_in(account)
    return tuple(
        one
        for one in found.assignments
        if why_not_grant(power, known[one.role_id].rights, company=one.company) is None
    )


def _intention(session: Session, asked: Asked, actor: Actor, now: datetime) -> Intention:
    """What was asked for, checked, and with the ids of the roles that it names."""
    written = details.cleaned(asked.details)
    if asked.assignments is None:
        return Intention(written, None)
    if asked.kind is MemberKind.CLIENT and asked.assignments:
        raise NotValid("assignments", "clients hold no roles")
    known = roles.known(session, asked.account)
    power = actor.power_in(asked.account)
    by_name = {details.folded(one.name): one for one in known.values()}
    by_name.update({str(one.id): one for one in known.values()})
    wanted = []
    for one in asked.assignments:
        role = by_name.get(details.folded(" ".join(one.role.split())))
        # A role that is not the application's to give and one that is not there are the same to it.
        if role is None or why_not_grant(power, role.rights, company=one.company) is not None:
            raise MayNotGrant("no such role, or not the application's to give")
        wanted.append(Wanted(role.id, one.company, one.expires_at))
    right = MANAGE[asked.kind]
    if wanted:
        check_giving(session, asked.account, wanted, actor=actor, right=right, now=now)
    return Intention(written, tuple(wanted))


def _check_return(session: Session, return_to: str | None, client_id: str) -> None:
    if return_to is not None:
        return_address.check(session, return_to, application=client_id)


def _deliver(
    session: Session,
    account: str,
    member: MemberSummary,
    how: How,
    return_to: str | None,
    client_id: str,
    now: datetime,
) -> None:
    delivery.put(
        session,
        account=account,
        membership_id=member.id,
        how=how,
        return_to=return_to,
        client_id=client_id,
        now=now,
    )


def _count(account: str, client_id: str, now: datetime) -> None:
    tries = [(client_id, PER_CLIENT), (f"{account}/{client_id}", PER_ACCOUNT)]
    taken = limits.take_all(db, tries, now=now)
    if isinstance(taken, Refusal):
        raise TooMany("provisioning", retry_after=taken.retry_after(now))
