"""An invitation as the invited person meets it: mailed, looked at, accepted, declined (SECURITY 3.9).

Only whoever has proved the address accepts, and whoever invited must still have the power to do so. The
token is made when the mail is written, and kept as a digest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kernel.crypto import hash_token, new_token
from kernel.errors import NotFound, Refused
from tenants.accounts import service as accounts
from tenants.events import InvitationEvent
from tenants.facts.service import Kind
from tenants.invitations import inviters, rows
from tenants.invitations.models import Invitation
from tenants.invitations.rows import InvitationSummary, NotOpen, State
from tenants.invitations.service import MANAGE
from tenants.invitations.telling import tell
from tenants.members import service as members
from tenants.members.authority import BeyondReach
from tenants.members.service import Wanted
from tenants.people import service as people
from tenants.roles.power import MayNotGrant, NotPermitted


class NotYours(Refused):
    """It is for another address than that of the ID which would accept it."""

    status = 403
    reason = "another_address"


class Lapsed(Refused):
    """Whoever invited can't do so any more: they left, or lost the power that it takes."""

    status = 409
    reason = "lapsed"


@dataclass(frozen=True)
class Offer:
    """An invitation as the invited person sees it."""

    account: str
    account_name: str
    invitation: InvitationSummary
    roles: tuple[str, ...]
    """Names of roles and of the companies on which they hold."""


def letter(
    session: Session,
    account: str,
    invitation_id: UUID,
    *,
    may_mail: Callable[[str], bool] = lambda email_key: True,
    now: datetime,
) -> tuple[Offer, str] | None:
    """What the mail says, and the token of its link; None when there is nothing to send any more.

    For whoever writes the mail, in its transaction: the token before is good no more. `may_mail` is
    asked before, with the address as it is compared: nothing changes for a mail that is not written.
    """
    mailable = (*rows.still_open(account, invitation_id), Invitation.expires_at > now)
    email_key = session.scalar(select(Invitation.email_key).where(*mailable).with_for_update())
    if email_key is None or not may_mail(email_key):
        return None
    token = new_token()
    session.execute(update(Invitation).where(*mailable).values(token_hash=hash_token(token)))
    return _offer(session, account, rows.sure(session, account, invitation_id)), token


def look(session: Session, account: str, token: str, *, now: datetime) -> Offer:
    """What a link offers; looking spends nothing. Raises NotOpen."""
    row = session.execute(
        select(*rows.COLUMNS).where(
            Invitation.tenant_id == account, Invitation.token_hash == hash_token(token)
        )
    ).one_or_none()
    if row is None:
        raise NotOpen("no invitation has this token")
    found = rows.with_roles(session, account, (InvitationSummary(*row),))[0]
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
    _spend(session, account, invitation.id, token, now, accepted_at=now, accepted_by=person_id)
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
    tell(session, account, invitation.id, done, actor, now, {}, person_id=person_id)
    return added.membership_id


def decline(
    session: Session, account: str, token: str, *, person_id: UUID | None, now: datetime
) -> None:
    """Not to take up the place: for whoever has the mail, with an ID or without. Raises NotOpen."""
    invitation = look(session, account, token, now=now).invitation
    _spend(session, account, invitation.id, token, now, revoked_at=now, declined_at=now)
    done = (InvitationEvent.DECLINED, Kind.INVITATION_DECLINED)
    actor = f"person:{person_id}" if person_id is not None else f"invitation:{invitation.id}"
    tell(session, account, invitation.id, done, actor, now, {}, person_id=person_id)


def _spend(
    session: Session, account: str, invitation_id: UUID, token: str, now: datetime, **answer: Any
) -> None:
    """Answer it with the link of its last mail, while that is good; raises NotOpen."""
    is_its_link = Invitation.token_hash == hash_token(token)
    is_in_time = Invitation.expires_at > now
    rows.change_open(session, account, invitation_id, is_its_link, is_in_time, now=now, **answer)


def _lasts(one: Wanted, now: datetime) -> bool:
    return one.expires_at is None or one.expires_at > now


def _offer(session: Session, account: str, invitation: InvitationSummary) -> Offer:
    found = accounts.find(session, account)
    if found is None:
        raise NotOpen("the account is gone")
    names = members.names_of_places(session, account, [one.place for one in invitation.assignments])
    return Offer(account, found.name, invitation, names)
