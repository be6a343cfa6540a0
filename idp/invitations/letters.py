"""The mail of an invitation. Its link is made here, and stands nowhere else (SECURITY 3.9).

Runs in the worker, with the facts. Whoever invites hears nothing of it: the answer is the same whether
the address has an ID, and also when it, or the account, had so many mails lately that none goes out.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from idp.invitations.link import Link
from idp.joining.service import unlinked
from idp.mails import service as mails
from idp.mails.service import Recipient
from idp.settings import current_settings
from kernel.limits import Refusal, Window
from kernel.observability.logs import get_logger
from tenants.accounts import service as accounts
from tenants.facts.service import FactSummary, Kind
from tenants.invitations import offers
from tenants.limits import limits
from tenants.people import service as people

TO_ADDRESS = Window("mail:invitation", limit=5, every=timedelta(hours=1))
OF_ACCOUNT = Window("mail:invitation-account", limit=500, every=timedelta(hours=1))

log = get_logger(__name__)


def hear(session: Session, facts: Iterable[FactSummary], *, now: datetime) -> None:
    """Mail what was offered, once more where it was sent again; in the session of the facts."""
    for fact in facts:
        if fact.kind is Kind.INVITATION_CREATED and fact.account is not None:
            _write(session, fact.account, UUID(fact.details["invitation"]), now)


def _write(session: Session, account: str, invitation_id: UUID, now: datetime) -> None:
    found = accounts.find(session, account)
    if found is None or not found.is_active:
        return
    letter = offers.letter(session, account, invitation_id, now=now)
    if letter is None:
        return
    offer, token = letter
    to = offer.invitation
    if not _may_mail(session, account, to.email_key, now):
        log.warning("invitation_not_mailed", account=account, invitation=str(invitation_id))
        return
    person = people.find_by_email(session, to.email)
    language = to.locale or (person.locale if person is not None else None)
    mails.send(
        session,
        "invitations/invitation",
        to=Recipient(to.email, language or current_settings().default_locale),
        person_id=person.id if person is not None else None,
        context={
            "account": unlinked(offer.account_name),
            "roles": [unlinked(role) for role in offer.roles],
            "expires_at": to.expires_at.isoformat(),
            "invitation_token": str(Link(account, token)),
        },
        expires_at=to.expires_at,
        now=now,
    )


def _may_mail(session: Session, account: str, email_key: str, now: datetime) -> bool:
    """Whether neither the mailbox nor the account has had enough (SECURITY 3.11)."""
    taken = (
        limits.take_in(session, key=account, policy=OF_ACCOUNT, now=now),
        limits.take_in(session, key=email_key, policy=TO_ADDRESS, now=now),
    )
    return not any(isinstance(one, Refusal) for one in taken)
