"""Reading what a context takes, and noting what the person chose."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from idp.clients.service import RegisteredClient
from idp.contexts import choice
from idp.contexts.choice import NOWHERE, Asked, Resolved
from idp.flows import service as flows
from idp.grants.models import Grant
from kernel.database import HotStatement, Reads
from kernel.errors import Refused
from tenants.database import db
from tenants.members import service as members
from tenants.standing import places, scope
from tenants.standing import service as standings
from tenants.standing.places import CompanyPlace, Place
from tenants.standing.service import Standing

_GRANT = Grant.__table__.c
_LAST = HotStatement(
    select(_GRANT.account)
    .where(
        _GRANT.person_id == bindparam("person_id"),
        _GRANT.client_id == bindparam("client_id"),
        _GRANT.account.is_not(None),
    )
    .order_by(_GRANT.id.desc())
    .limit(1)
)


def resolve(
    at: Reads, client: RegisteredClient, asked: Asked, *, person_id: UUID, now: datetime
) -> Resolved:
    """Where this request leads this person. What the request names is taken or refused, never asked.

    An unknown account, a foreign one, and one without the application are refused alike.
    """
    if not asked.is_needed_for(client.context):
        return NOWHERE
    if asked.account is None:
        return _open(at, client, asked, person_id, now)
    company = asked.company or asked.chosen_company
    standing = standings.of(
        at, account=asked.account, company=company, person_id=person_id, now=now
    )
    if standing is not None and _is_waiting(standing, client, asked.company):
        return Resolved(has_to_be_chosen=True)
    why_not = _why_not(standing, client, asked.company)
    if why_not is not None or standing is None:
        return Resolved(why_refused=why_not)
    return _with_company(client, standing, company)


def _open(
    at: Reads, client: RegisteredClient, asked: Asked, person_id: UUID, now: datetime
) -> Resolved:
    """The request names no account: the person did, or has only one, or is asked."""
    account = asked.chosen_account or _only_account(client, asked, person_id)
    if account is None:
        return Resolved(has_to_be_chosen=True)
    company = asked.chosen_company
    standing = standings.of(at, account=account, company=company, person_id=person_id, now=now)
    if standing is None or _why_not(standing, client, None) is not None:
        # Chosen while it was there; or it went within this request.
        return Resolved(has_to_be_chosen=True)
    return _with_company(client, standing, company)


def _with_company(client: RegisteredClient, standing: Standing, company: str | None) -> Resolved:
    if company is None and choice.lacks_company(client.context, company):
        company = _only_company(standing)
    elif company is not None and _why_not(standing, client, company) is not None:
        company = None
    has_to_be_chosen = choice.lacks_company(client.context, company)
    return Resolved(standing, company, has_to_be_chosen=has_to_be_chosen)


def _why_not(
    standing: Standing | None, client: RegisteredClient, company: str | None
) -> str | None:
    if client.application is None:
        return "the application knows no accounts"
    return scope.why_not_there(standing, application=client.application, company=company)


def _is_waiting(standing: Standing, client: RegisteredClient, company: str | None) -> bool:
    """Whether nothing is missing but that the person takes the place that they were given."""
    as_if_taken = replace(standing, member_state=standings.ACTIVE)
    return (
        standing.member_state == standings.PENDING
        and _why_not(as_if_taken, client, company) is None
    )


def _only_account(client: RegisteredClient, asked: Asked, person_id: UUID) -> str | None:
    found = possible_accounts(client, person_id)
    if found.waiting and not asked.silently:
        return None
    return found.open[0].account if len(found.open) == 1 else None


@dataclass(frozen=True)
class Possible:
    """The accounts in which a person could use an application, by name."""

    open: list[Place]
    waiting: list[Place]
    """Those that gave the person a place which they have neither taken nor declined."""


def possible_accounts(client: RegisteredClient, person_id: UUID) -> Possible:
    """Where the person may use the application, and where they could."""
    with db.reading(person=person_id) as session:
        found = places.of_person(session, person_id)
    return Possible(
        [place for place in found if place.is_open_for(client.application)],
        [place for place in found if place.waits_for(client.application)],
    )


def _only_company(standing: Standing) -> str | None:
    found = possible_companies(standing, most=2)
    return found[0].id if len(found) == 1 else None


def possible_companies(
    standing: Standing, *, search: str = "", most: int
) -> Sequence[CompanyPlace]:
    """The companies on which the person may use an application in this account, by name."""
    with db.reading(tenant=standing.account) as session:
        return places.companies_of(session, standing, search=search, most=most)


def last_account(at: Reads, *, person_id: UUID, client_id: str) -> str | None:
    """The account in which the person used this application last."""
    row = _LAST.first(at, person_id=person_id, client_id=client_id)
    return row.account if row is not None else None


def take_place(account: str, *, person_id: UUID, accepts: bool, now: datetime) -> None:
    """Take or decline the place that an account gave the person. One that is gone is passed over."""
    with suppress(Refused), db.transaction(tenant=account) as session:
        if accepts:
            members.accept(session, account, person_id=person_id, now=now)
        else:
            members.leave(session, account, person_id=person_id, now=now)


def note(
    session: Session,
    flow_id: str | None,
    browser_hash: bytes,
    answer: dict[str, str | None] | str,
    *,
    now: datetime,
) -> None:
    """Let the dispatcher find what was chosen when the browser comes back to it."""
    flow = flows.lock(session, flow_id, browser_hash, now)
    flow.request = {**(flow.request or {}), choice.CONTEXT_ANSWER: answer}
