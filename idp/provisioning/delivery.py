"""The mail for whoever an application brought into an account: only here is looked whether they have a way in.

Who has none gets what the application chose, a temporary password or a welcome link; who has one reads
that the same ID now opens this account too. It runs in the worker: nothing that is answered to the
application depends on it, not even the time that it takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp.access import return_address
from idp.access import service as access
from idp.access.service import Fresh, How
from idp.credentials.own_access import has_own_access
from idp.joining import service as joining
from idp.provisioning.power import acting
from kernel import clock
from kernel.errors import NotFound
from kernel.outbox import Lane, Message
from tenants.accounts import service as accounts
from tenants.accounts.service import AccountSummary, AccountSuspended
from tenants.database import db
from tenants.members import listing
from tenants.members.listing import MemberSummary
from tenants.members.service import MemberKind, State
from tenants.outbox import outbox
from tenants.people import service as people
from tenants.people.service import PersonSummary

KIND = "provisioned-access"


def put(
    session: Session,
    *,
    account: str,
    membership_id: UUID,
    how: How,
    return_to: str | None,
    client_id: str,
    now: datetime,
) -> None:
    """Have the person mailed once this transaction is committed."""
    outbox.put(
        session,
        lane=Lane.MAIL,
        kind=KIND,
        destination="provisioning",
        payload={
            "account": account,
            "membership": str(membership_id),
            "how": how,
            "return_to": return_to,
            "client": client_id,
        },
        now=now,
    )


def deliver(message: Message) -> None:
    """Let the person in, or tell them; the handler of the outbox's kind `provisioned-access`."""
    payload, now = message.payload, clock.now()
    with db.reading(tenant=payload["account"]) as session:
        found = _find(session, payload, now)
        if found is None:
            return
        is_in = has_own_access(session, person_id=found.person.id)
    # Outside any transaction: a temporary password is hashed slowly.
    fresh = None if is_in else access.prepare(How(payload["how"]))
    with db.transaction(tenant=payload["account"]) as session:
        found = _find(session, payload, now)
        if found is not None:
            _write(session, payload, found, fresh, now)


@dataclass(frozen=True)
class _Found:
    account: AccountSummary
    member: MemberSummary
    person: PersonSummary


def _find(session: Session, payload: Mapping[str, Any], now: datetime) -> _Found | None:
    """Whom the mail is for, if the application and the account still want it."""
    try:
        actor = acting(session, payload["account"], client_id=payload["client"])
        member = listing.find_any(
            session, payload["account"], UUID(payload["membership"]), actor=actor, now=now
        )
    except (NotFound, AccountSuspended):
        return None
    account = accounts.find(session, payload["account"])
    person = people.find_by_email(session, member.email)
    if account is None or person is None or not person.is_active:
        return None
    return _Found(account, member, person) if member.state is not State.BLOCKED else None


def _write(
    session: Session,
    payload: Mapping[str, Any],
    found: _Found,
    fresh: Fresh | None,
    now: datetime,
) -> None:
    url = payload["return_to"]
    if url is not None and not return_address.is_good(session, url):
        url = None
    is_client = found.member.kind is MemberKind.CLIENT
    added_to = joining.place_of(
        session, found.account, found.member.id, is_client=is_client, now=now
    )
    if fresh is None:
        if joining.may_mail(session, found.account.id, found.person, now):
            joining.tell_known(session, added_to, found.person, url=url, now=now)
        return
    # Who set a password in this very moment is told at the next attempt.
    access.give(
        session,
        person_id=found.person.id,
        fresh=fresh,
        by=f"client:{payload['client']}",
        return_to=url,
        added_to=added_to,
        now=now,
    )
