"""Invitations as the account makes them: sent, sent again, revoked, listed (SECURITY 3.9).

An invitation is for one address. What the invited person does with it is in `offers`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kernel.crypto import hash_token, new_token
from kernel.errors import NotFound, Refused, TooManyTries, VersionConflict
from kernel.ids import new_id
from kernel.limits import Refusal, Window
from kernel.pages import Order, Page, PageRequest, read
from tenants.accounts import service as accounts
from tenants.applications.service import ACCOUNTS
from tenants.events import InvitationEvent
from tenants.facts.service import Kind
from tenants.invitations import rows
from tenants.invitations.models import Invitation, InvitedRole
from tenants.invitations.rows import InvitationSummary
from tenants.invitations.telling import tell
from tenants.limits import limits
from tenants.members import details
from tenants.members import service as members
from tenants.members.authority import BeyondReach, area_of, check_giving
from tenants.members.service import AlreadyMember, Wanted
from tenants.people import service as people
from tenants.roles.power import Actor, Right, reach

MANAGE = Right(ACCOUNTS, "invitations:manage")
SHORTEST, USUAL, LONGEST = timedelta(hours=1), timedelta(days=7), timedelta(days=30)
NEWEST_FIRST = Order("created_at", (Invitation.created_at, Invitation.id), descending=True)

# Each account's own: what others send to an address is none of its business.
TO_ADDRESS = Window("invitation", limit=5, every=timedelta(hours=1))
OF_ACCOUNT = Window("invitations", limit=500, every=timedelta(hours=1))


class TooManyInvitations(TooManyTries):
    """The account has sent too many invitations in a short time, or too many to this address."""

    reason = "too_many_invitations"


class AlreadyInvited(Refused):
    """Somebody has invited this address, and it has not been answered: it can be sent again."""

    status = 409
    reason = "already_invited"


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
    AlreadyInvited, TooManyInvitations.
    """
    accounts.hold(session, account)
    check_giving(session, account, assignments, actor=actor, right=MANAGE, now=now)
    address = people.canonical_email(email)
    written = details.cleaned(
        {"given_name": given_name, "family_name": family_name, "locale": locale}
    )
    if not SHORTEST <= life <= LONGEST:
        raise members.NotValid("expires_in", "between an hour and 30 days")
    if members.is_member(session, account, address.key):
        raise AlreadyMember("the address belongs to a user of the account")
    _count(session, account, address.key, now)
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
    tell(
        session,
        account,
        invitation.id,
        (InvitationEvent.CREATED, Kind.INVITATION_CREATED),
        actor.id,
        now,
        given,
        personal={"email": address.display},
    )
    return rows.sure(session, account, invitation.id)


def send_again(
    session: Session,
    account: str,
    invitation_id: UUID,
    *,
    life: timedelta = USUAL,
    actor: Actor,
    now: datetime,
) -> InvitationSummary:
    """Mail it once more, good for as long again; with that mail the link before opens nothing more.

    Raises NotOpen, NotFound, TooManyInvitations and what `invite` does about roles.
    """
    found = find(session, account, invitation_id, actor=actor)
    if not SHORTEST <= life <= LONGEST:
        raise members.NotValid("expires_in", "between an hour and 30 days")
    check_giving(session, account, found.assignments, actor=actor, right=MANAGE, now=now)
    # A link whose time was over stays what it was, also when no other is mailed.
    lapsed = {} if found.expires_at > now else {"token_hash": hash_token(new_token())}
    rows.change_open(
        session,
        account,
        invitation_id,
        now=now,
        invited_by=actor.id,
        sent_at=now,
        expires_at=now + life,
        **lapsed,
    )
    _count(session, account, found.email_key, now)
    done = (InvitationEvent.SENT_AGAIN, Kind.INVITATION_CREATED)
    tell(session, account, invitation_id, done, actor.id, now, {})
    return rows.sure(session, account, invitation_id)


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
    _, area = area_of(actor, account, right=MANAGE)
    found = find(session, account, invitation_id, actor=actor)
    if not area.whole and any(one.company not in area.companies for one in found.assignments):
        raise BeyondReach("the invitation is for other companies, too")
    if version is not None and version != found.version:
        raise VersionConflict(f"invitation {invitation_id} is at version {found.version}")
    as_seen = Invitation.version == found.version
    rows.change_open(session, account, invitation_id, as_seen, now=now, revoked_at=now)
    done = (InvitationEvent.REVOKED, Kind.INVITATION_REVOKED)
    tell(session, account, invitation_id, done, actor.id, now, {})


def listed(
    session: Session, account: str, *, actor: Actor, asked: PageRequest
) -> Page[InvitationSummary]:
    """Invitations, the newest first; who has power over some companies sees those for these alone."""
    _, area = area_of(actor, account, right=MANAGE)
    statement = select(*rows.COLUMNS).where(Invitation.tenant_id == account)
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
    return Page(rows.with_roles(session, account, page.items), page.next, page.total)


def find(session: Session, account: str, invitation_id: UUID, *, actor: Actor) -> InvitationSummary:
    """One invitation; raises NotFound, also for one that is for companies of others."""
    power, area = area_of(actor, account, right=MANAGE)
    found = rows.sure(session, account, invitation_id)
    if not area.whole and not any(
        one.company in reach(power, MANAGE).companies for one in found.assignments
    ):
        raise NotFound("the invitation is out of sight")
    return found


def _count(session: Session, account: str, email_key: str, now: datetime) -> None:
    """Count a mail; raises TooManyInvitations, and nothing of what was asked for happens."""
    for key, policy in ((account, OF_ACCOUNT), (f"{account}/{email_key}", TO_ADDRESS)):
        taken = limits.take_in(session, key=key, policy=policy, now=now)
        if isinstance(taken, Refusal):
            raise TooManyInvitations(policy.name, retry_after=taken.retry_after(now))


def _end_expired(session: Session, account: str, email_key: str, now: datetime) -> None:
    """What nobody took up in time stands in nobody's way."""
    session.execute(
        update(Invitation)
        .where(
            Invitation.tenant_id == account,
            Invitation.email_key == email_key,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at <= now,
        )
        .values(revoked_at=now, updated_at=now, version=Invitation.version + 1)
    )


def _in_words(one: Wanted) -> dict[str, Any]:
    return {
        "role": str(one.role_id),
        "company": one.company,
        "expires_at": one.expires_at.isoformat() if one.expires_at else None,
    }
