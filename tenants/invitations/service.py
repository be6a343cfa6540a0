"""Invitations: made, sent again, revoked, accepted, declined (SECURITY 3.9).

An invitation is for one address, and only whoever has proved it accepts. Whoever invited must still
have the power to do so then. Its token is made when its mail is written, and kept as a digest.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kernel.crypto import hash_token, new_token
from kernel.errors import NotFound, Refused, VersionConflict
from kernel.ids import new_id
from kernel.pages import Order, Page, PageRequest, read
from tenants.accounts import service as accounts
from tenants.applications.service import ACCOUNTS
from tenants.audit import record
from tenants.events import InvitationEvent
from tenants.facts.service import Kind, note
from tenants.invitations import inviters
from tenants.invitations.models import Invitation, InvitedRole
from tenants.members import details
from tenants.members import service as members
from tenants.members.service import AlreadyMember, BeyondReach, Wanted
from tenants.people import service as people
from tenants.roles.power import Actor, MayNotGrant, NotPermitted, Right, reach

MANAGE = Right(ACCOUNTS, "invitations:manage")
SHORTEST, USUAL, LONGEST = timedelta(hours=1), timedelta(days=7), timedelta(days=30)
NEWEST_FIRST = Order("created_at", (Invitation.created_at, Invitation.id), descending=True)
_TABLE = cast(Table, Invitation.__table__)


class AlreadyInvited(Refused):
    """Somebody has invited this address, and it has not been answered: it can be sent again."""

    status = 409
    reason = "already_invited"


class NotOpen(Refused):
    """The invitation was accepted, revoked, or its time is over."""

    status = 409
    reason = "not_open"


class NotYours(Refused):
    """It is for another address than that of the ID which would accept it."""

    status = 403
    reason = "another_address"


class Lapsed(Refused):
    """Whoever invited can't do so any more: they left, or lost the power that it takes."""

    status = 409
    reason = "lapsed"


class State(StrEnum):
    """What has become of an invitation."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True)
class InvitationSummary:
    """An invitation, as the account sees it. Its link is in the mail, and nowhere else."""

    id: UUID
    email: str
    email_key: str
    given_name: str | None
    family_name: str | None
    locale: str | None
    invited_by: str
    sent_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    revoked_at: datetime | None
    declined_at: datetime | None
    version: int
    created_at: datetime
    assignments: tuple[Wanted, ...] = ()

    def state(self, now: datetime) -> State:
        """What it is good for, at this moment."""
        if self.accepted_at is not None:
            return State.ACCEPTED
        if self.declined_at is not None:
            return State.DECLINED
        if self.revoked_at is not None:
            return State.REVOKED
        return State.OPEN if self.expires_at > now else State.EXPIRED


@dataclass(frozen=True)
class Offer:
    """An invitation as the invited person sees it."""

    account: str
    account_name: str
    invitation: InvitationSummary
    roles: tuple[str, ...]
    """Names of roles and of the companies on which they hold."""


_COLUMNS = tuple(
    getattr(Invitation, name)
    for name in InvitationSummary.__dataclass_fields__
    if name != "assignments"
)


def invite(
    session: Session,
    account: str,
    *,
    email: str,
    given_name: str | None = None,
    family_name: str | None = None,
    locale: str | None = None,
    assignments: Sequence[Wanted] = (),
    life: timedelta = USUAL,
    actor: Actor,
    now: datetime,
) -> InvitationSummary:
    """Invite whoever has this address; a mail follows once this is committed.

    Raises NotAnAddress, NotValid, NotPermitted, MayNotGrant, BeyondReach, AlreadyMember,
    AlreadyInvited.
    """
    accounts.hold(session, account)
    members.check_giving(session, account, assignments, actor=actor, right=MANAGE, now=now)
    address = people.canonical_email(email)
    written = details.cleaned(
        {"given_name": given_name, "family_name": family_name, "locale": locale}
    )
    if not SHORTEST <= life <= LONGEST:
        raise members.NotValid("expires_in", "between an hour and 30 days")
    if members.is_member(session, account, address.key):
        raise AlreadyMember("the address belongs to a user of the account")
    _end_expired(session, account, address.key, now)
    invitation = Invitation(
        tenant_id=account,
        id=new_id(),
        email=address.display,
        email_key=address.key,
        # Nobody holds this token: the mail gets one of its own when it is written.
        token_hash=hash_token(new_token()),
        **written,
        invited_by=actor.id,
        sent_at=now,
        expires_at=now + life,
        version=1,
        created_at=now,
        updated_at=now,
    )
    try:
        with session.begin_nested():
            session.add(invitation)
    except IntegrityError as known:
        raise AlreadyInvited("an open invitation has this address") from known
    for one in assignments:
        session.add(
            InvitedRole(
                tenant_id=account,
                id=new_id(),
                invitation_id=invitation.id,
                role_id=one.role_id,
                company_id=one.company,
                expires_at=one.expires_at,
            )
        )
    session.flush()
    given = {"assignments": [_in_words(one) for one in assignments]}
    _tell(
        session,
        account,
        invitation.id,
        (InvitationEvent.CREATED, Kind.INVITATION_CREATED),
        actor.id,
        now,
        given,
        personal={"email": address.display},
    )
    return _sure(session, account, invitation.id)


def send_again(
    session: Session,
    account: str,
    invitation_id: UUID,
    *,
    life: timedelta = USUAL,
    actor: Actor,
    now: datetime,
) -> InvitationSummary:
    """Mail it once more, good for as long again; the link before opens nothing from then on.

    Raises NotOpen, NotFound and what `invite` does about roles.
    """
    found = find(session, account, invitation_id, actor=actor)
    if not SHORTEST <= life <= LONGEST:
        raise members.NotValid("expires_in", "between an hour and 30 days")
    members.check_giving(session, account, found.assignments, actor=actor, right=MANAGE, now=now)
    changed = session.execute(
        update(_TABLE)
        .where(*_open(account, invitation_id))
        .values(
            token_hash=hash_token(new_token()),
            invited_by=actor.id,
            sent_at=now,
            expires_at=now + life,
            updated_at=now,
            version=_TABLE.c.version + 1,
        )
    )
    if not changed.rowcount:  # type: ignore[attr-defined]
        raise NotOpen("it was answered or revoked")
    done = (InvitationEvent.SENT_AGAIN, Kind.INVITATION_CREATED)
    _tell(session, account, invitation_id, done, actor.id, now, {})
    return _sure(session, account, invitation_id)


def revoke(
    session: Session,
    account: str,
    invitation_id: UUID,
    *,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Take it back; its link opens nothing any more.

    Raises NotOpen, NotFound, VersionConflict, and BeyondReach where it promises more elsewhere.
    """
    _, area = members.area_of(actor, account, right=MANAGE)
    found = find(session, account, invitation_id, actor=actor)
    if not area.whole and any(one.company not in area.companies for one in found.assignments):
        raise BeyondReach("the invitation is for other companies, too")
    if version is not None and version != found.version:
        raise VersionConflict(f"invitation {invitation_id} is at version {found.version}")
    changed = session.execute(
        update(_TABLE)
        .where(*_open(account, invitation_id), _TABLE.c.version == found.version)
        .values(revoked_at=now, updated_at=now, version=found.version + 1)
    )
    if not changed.rowcount:  # type: ignore[attr-defined]
        raise NotOpen("it was answered or revoked")
    done = (InvitationEvent.REVOKED, Kind.INVITATION_REVOKED)
    _tell(session, account, invitation_id, done, actor.id, now, {})


def listed(
    session: Session, account: str, *, actor: Actor, asked: PageRequest
) -> Page[InvitationSummary]:
    """Invitations, the newest first; who has power over some companies sees those for these alone."""
    _, area = members.area_of(actor, account, right=MANAGE)
    statement = select(*_COLUMNS).where(Invitation.tenant_id == account)
    if not area.whole:
        statement = statement.where(
            Invitation.id.in_(
                select(InvitedRole.invitation_id).where(
                    InvitedRole.tenant_id == account, InvitedRole.company_id.in_(area.companies)
                )
            )
        )
    page = read(
        session,
        statement,
        InvitationSummary,
        order=NEWEST_FIRST,
        asked=asked,
        bound_to=(account, "invitations", *sorted(area.companies)),
        with_total=True,
    )
    return Page(_with_roles(session, account, page.items), page.next, page.total)


def find(session: Session, account: str, invitation_id: UUID, *, actor: Actor) -> InvitationSummary:
    """One invitation; raises NotFound, also for one that is for companies of others."""
    power, area = members.area_of(actor, account, right=MANAGE)
    found = _sure(session, account, invitation_id)
    if not area.whole and not any(
        one.company in reach(power, MANAGE).companies for one in found.assignments
    ):
        raise NotFound("the invitation is out of sight")
    return found


def letter(
    session: Session, account: str, invitation_id: UUID, *, now: datetime
) -> tuple[Offer, str] | None:
    """What the mail says, and the token of its link; None when there is nothing to send any more.

    For whoever writes the mail, in its transaction: the token before is good no more.
    """
    token = new_token()
    renewed = session.execute(
        update(_TABLE)
        .where(*_open(account, invitation_id), _TABLE.c.expires_at > now)
        .values(token_hash=hash_token(token))
    )
    if not renewed.rowcount:  # type: ignore[attr-defined]
        return None
    return _offer(session, account, _sure(session, account, invitation_id)), token


def look(session: Session, account: str, token: str, *, now: datetime) -> Offer:
    """What a link offers; looking spends nothing. Raises NotOpen."""
    row = session.execute(
        select(*_COLUMNS).where(
            Invitation.tenant_id == account, Invitation.token_hash == hash_token(token)
        )
    ).one_or_none()
    if row is None:
        raise NotOpen("no invitation has this token")
    found = _with_roles(session, account, (InvitationSummary(*row),))[0]
    if found.state(now) is not State.OPEN:
        raise NotOpen(f"it is {found.state(now)}")
    return _offer(session, account, found)


def accept(session: Session, account: str, token: str, *, person_id: UUID, now: datetime) -> UUID:
    """Take up the place that was offered; the membership's id. Once, by whoever has the address.

    The person must have proved to be who they are just before. Raises NotOpen, NotYours, Lapsed,
    AlreadyMember, and what `accounts.hold` does.
    """
    accounts.hold(session, account)
    invitation = look(session, account, token, now=now).invitation
    person = people.find(session, person_id)
    if person is None or person.email_key != invitation.email_key:
        raise NotYours("the invitation is for another address")
    spent = session.execute(
        update(_TABLE)
        .where(
            *_open(account, invitation.id),
            _TABLE.c.token_hash == hash_token(token),
            _TABLE.c.expires_at > now,
        )
        .values(
            accepted_at=now, accepted_by=person_id, updated_at=now, version=_TABLE.c.version + 1
        )
    )
    if not spent.rowcount:  # type: ignore[attr-defined]
        raise NotOpen("somebody was quicker")
    inviter = inviters.today(session, account, invitation.invited_by, now=now)
    try:
        added = members.add(
            session,
            account,
            email=invitation.email,
            given_name=invitation.given_name,
            family_name=invitation.family_name,
            locale=invitation.locale,
            assignments=[one for one in invitation.assignments if _lasts(one, now)],
            actor=inviter,
            now=now,
            accepted=True,
            by_right=MANAGE,
        )
    except (NotFound, NotPermitted, MayNotGrant, BeyondReach) as refused:
        raise Lapsed(str(refused)) from refused
    done = (InvitationEvent.ACCEPTED, Kind.INVITATION_ACCEPTED)
    actor = f"person:{person_id}"
    _tell(session, account, invitation.id, done, actor, now, {}, person_id=person_id)
    return added.membership_id


def decline(
    session: Session, account: str, token: str, *, person_id: UUID | None, now: datetime
) -> None:
    """Not to take up the place: for whoever has the mail, with an ID or without. Raises NotOpen."""
    invitation = look(session, account, token, now=now).invitation
    ended = session.execute(
        update(_TABLE)
        .where(
            *_open(account, invitation.id),
            _TABLE.c.token_hash == hash_token(token),
            _TABLE.c.expires_at > now,
        )
        .values(revoked_at=now, declined_at=now, updated_at=now, version=_TABLE.c.version + 1)
    )
    if not ended.rowcount:  # type: ignore[attr-defined]
        raise NotOpen("it was answered or revoked")
    done = (InvitationEvent.DECLINED, Kind.INVITATION_DECLINED)
    actor = f"person:{person_id}" if person_id is not None else f"invitation:{invitation.id}"
    _tell(session, account, invitation.id, done, actor, now, {}, person_id=person_id)


def _lasts(one: Wanted, now: datetime) -> bool:
    return one.expires_at is None or one.expires_at > now


def _open(account: str, invitation_id: UUID) -> tuple[Any, ...]:
    return (
        _TABLE.c.tenant_id == account,
        _TABLE.c.id == invitation_id,
        _TABLE.c.accepted_at.is_(None),
        _TABLE.c.revoked_at.is_(None),
    )


def _end_expired(session: Session, account: str, email_key: str, now: datetime) -> None:
    """What nobody took up in time stands in nobody's way."""
    session.execute(
        update(_TABLE)
        .where(
            _TABLE.c.tenant_id == account,
            _TABLE.c.email_key == email_key,
            _TABLE.c.accepted_at.is_(None),
            _TABLE.c.revoked_at.is_(None),
            _TABLE.c.expires_at <= now,
        )
        .values(revoked_at=now, updated_at=now, version=_TABLE.c.version + 1)
    )


def _sure(session: Session, account: str, invitation_id: UUID) -> InvitationSummary:
    row = session.execute(
        select(*_COLUMNS).where(Invitation.tenant_id == account, Invitation.id == invitation_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"no invitation {invitation_id} in {account}")
    return _with_roles(session, account, (InvitationSummary(*row),))[0]


def _with_roles(
    session: Session, account: str, found: Collection[InvitationSummary]
) -> tuple[InvitationSummary, ...]:
    rows = session.execute(
        select(
            InvitedRole.invitation_id,
            InvitedRole.role_id,
            InvitedRole.company_id,
            InvitedRole.expires_at,
        )
        .where(
            InvitedRole.tenant_id == account,
            InvitedRole.invitation_id.in_([one.id for one in found]),
        )
        .order_by(InvitedRole.id)
    )
    wanted: dict[UUID, list[Wanted]] = defaultdict(list)
    for row in rows:
        wanted[row.invitation_id].append(Wanted(row.role_id, row.company_id, row.expires_at))
    return tuple(
        InvitationSummary(**{**vars(one), "assignments": tuple(wanted[one.id])}) for one in found
    )


def _offer(session: Session, account: str, invitation: InvitationSummary) -> Offer:
    found = accounts.find(session, account)
    if found is None:
        raise NotOpen("the account is gone")
    names = members.names_of_places(session, account, [one.place for one in invitation.assignments])
    return Offer(account, found.name, invitation, names)


def _in_words(one: Wanted) -> dict[str, Any]:
    return {
        "role": str(one.role_id),
        "company": one.company,
        "expires_at": one.expires_at.isoformat() if one.expires_at else None,
    }


def _tell(
    session: Session,
    account: str,
    invitation_id: UUID,
    done: tuple[InvitationEvent, Kind],
    actor: str,
    now: datetime,
    given: Mapping[str, Any],
    *,
    personal: Mapping[str, Any] | None = None,
    person_id: UUID | None = None,
) -> None:
    event, kind = done
    record(
        session,
        account=account,
        event=event,
        actor=actor,
        subject=f"invitation:{invitation_id}",
        about=f"invitation:{invitation_id}",
        now=now,
        details=given,
        personal=personal,
    )
    note(session, kind, account=account, person_id=person_id, now=now, invitation=invitation_id)
