"""The mail for those who manage webhooks, when one was switched off that nobody switched off.

Whatever the account's program should have heard from then on, it does not: somebody has to know.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.orm import Session

from idp.joining.service import unlinked
from idp.mails import service as mails
from idp.mails.service import Recipient
from idp.settings import current_settings
from kernel.limits import Refusal, Window
from tenants.accounts import service as accounts
from tenants.applications.rights import Right
from tenants.applications.service import ACCOUNTS
from tenants.facts.service import FactSummary, Kind
from tenants.limits import limits
from tenants.members.holders import holders
from tenants.webhooks import service as webhooks

TO_PERSON = Window("mail:webhooks", limit=10, every=timedelta(hours=1))
MANAGING = Right(ACCOUNTS, "webhooks:manage")


def hear(session: Session, facts: Iterable[FactSummary], *, now: datetime) -> None:
    """Mail of each webhook that was switched off for what its receiver did; in the facts' session."""
    for fact in facts:
        if fact.kind is Kind.WEBHOOK_DISABLED and fact.account is not None:
            _tell(session, fact.account, UUID(fact.details["webhook"]), now)


def _tell(session: Session, account_id: str, webhook: UUID, now: datetime) -> None:
    account = accounts.find(session, account_id)
    endpoint = webhooks.find(session, account_id, webhook)
    if account is None or not account.is_active or endpoint is None:
        return
    if endpoint.disabled_for not in {"failing", "gone"}:
        return
    context = {
        "account": unlinked(account.name),
        "host": unlinked(urlsplit(endpoint.url).hostname or ""),
        "is_gone": endpoint.disabled_for == "gone",
    }
    for person in holders(session, account_id, MANAGING, now=now):
        taken = limits.take_in(session, key=str(person.id), policy=TO_PERSON, now=now)
        if isinstance(taken, Refusal):
            continue
        mails.send(
            session,
            "webhooks/switched_off",
            to=Recipient.of(person, otherwise=current_settings().default_locale),
            person_id=person.id,
            context=context,
            now=now,
        )
