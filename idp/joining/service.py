"""The mail for whoever was added to an account «i poinformuj»: which one, only the mailbox learns.

Who has no way in yet gets a welcome link; who has one reads that the same ID opens another account. Runs
in the worker, with the facts; the account hears nothing of it, so it learns nothing of the ID.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from idp.access import service as access
from idp.access.service import AddedTo, Fresh, How
from idp.mails import service as mails
from idp.mails.service import Recipient
from idp.settings import current_settings
from kernel.i18n.letters import in_order
from kernel.limits import Refusal, Window
from tenants.accounts import service as accounts
from tenants.accounts.service import AccountSummary
from tenants.companies import service as companies
from tenants.facts.service import FactSummary, Kind
from tenants.limits import limits
from tenants.members.assignments import held_by
from tenants.people import service as people
from tenants.people.service import PersonSummary

TO_PERSON = Window("mail:joining", limit=5, every=timedelta(hours=1))
OF_ACCOUNT = Window("mail:joining-account", limit=500, every=timedelta(hours=1))

TO_MEMBERS, TO_CLIENTS = "joining/member", "joining/client"
_LETTERS = {
    Kind.MEMBER_ADDED: TO_MEMBERS,
    Kind.MEMBER_INFORMED: TO_MEMBERS,
    Kind.CLIENT_ADDED: TO_CLIENTS,
    Kind.CLIENT_INFORMED: TO_CLIENTS,
}
# Whoever was added to more finds the others in the account.
_MOST_COMPANIES = 20
_ADDITIONS = {Kind.MEMBER_ADDED, Kind.CLIENT_ADDED}


def hear(session: Session, facts: Iterable[FactSummary], *, now: datetime) -> None:
    """Tell those who were added and are to hear of it; in the session of the facts."""
    for fact in facts:
        is_silent = fact.kind in _ADDITIONS and not fact.details.get("inform")
        if fact.kind in _LETTERS and not is_silent:
            _tell(session, fact, now)


def _tell(session: Session, fact: FactSummary, now: datetime) -> None:
    person = people.find(session, fact.person_id) if fact.person_id is not None else None
    account = accounts.find(session, fact.account) if fact.account is not None else None
    if person is None or not person.is_active or account is None or not account.is_active:
        return
    if not may_mail(session, account.id, person, now):
        return
    letter = _LETTERS[fact.kind]
    added_to = place_of(
        session,
        account,
        UUID(fact.details["membership"]),
        is_client=letter == TO_CLIENTS,
        now=now,
    )
    if access.has_own_access(session, person_id=person.id):
        tell_known(session, added_to, person, now=now)
        return
    access.give(
        session,
        person_id=person.id,
        fresh=Fresh(How.WELCOME_LINK),
        by=f"account:{account.id}",
        added_to=added_to,
        now=now,
    )


def place_of(
    session: Session,
    account: AccountSummary,
    membership_id: UUID,
    *,
    is_client: bool,
    now: datetime,
) -> AddedTo:
    """Where somebody was added, as their mail names it."""
    held = held_by(session, account.id, [membership_id], now=now)[membership_id]
    keys = {one.company for one in held if not one.company_is_archived}
    alone = [] if None in keys else [key for key in keys if key is not None]
    named = companies.find_all(session, account.id, alone).values() if alone else ()
    return AddedTo(
        account=unlinked(account.name),
        companies=tuple(sorted((unlinked(one.name) for one in named), key=in_order))[
            :_MOST_COMPANIES
        ],
        is_client=is_client,
    )


def tell_known(
    session: Session,
    added_to: AddedTo,
    person: PersonSummary,
    *,
    now: datetime,
    url: str | None = None,
) -> None:
    """Tell somebody who has a way in that it leads further: to `url`, without one to the portal."""
    settings = current_settings()
    mails.send(
        session,
        TO_CLIENTS if added_to.is_client else TO_MEMBERS,
        to=Recipient.of(person, otherwise=settings.default_locale),
        person_id=person.id,
        context={
            "account": added_to.account,
            "companies": list(added_to.companies),
            "portal_url": url or settings.portal_url,
        },
        now=now,
    )


def may_mail(session: Session, account: str, person: PersonSummary, now: datetime) -> bool:
    """Whether neither the mailbox nor the account has had enough."""
    taken = (
        limits.take_in(session, key=account, policy=OF_ACCOUNT, now=now),
        limits.take_in(session, key=person.email_key, policy=TO_PERSON, now=now),
    )
    return not any(isinstance(one, Refusal) for one in taken)


def unlinked(name: str) -> str:
    """A name that somebody typed, of which no mail program makes a link: nothing of it is lost to the eye.

    >>> unlinked("Sklep.example") == "Sklep.\\u200bexample"
    True
    """
    return re.sub(r"([.:/@])(?=\S)", "\\1\u200b", name)
