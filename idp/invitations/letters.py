"""The mail of an invitation. Its link is made here, and stands nowhere else (SECURITY 3.9).

Runs in the worker, with the facts. Whoever invites hears nothing of it: the answer is the same whether
the address has an ID, and also when it had so many mails lately, from all accounts, that none goes out.
Then the link of the mail before stays good.
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

    def may_mail(email_key: str) -> bool:
        """Whether the mailbox has not had enough (SECURITY 3.11)."""
        taken = limits.take_in(session, key=email_key, policy=TO_ADDRESS, now=now)
        if isinstance(taken, Refusal):
            log.warning("invitation_not_mailed", account=account, invitation=str(invitation_id))
            return False
        return True

    letter = offers.letter(session, account, invitation_id, may_mail=may_mail, now=now)
    if letter is None:
        return
    offer, token = letter
    to = offer.invitation
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
