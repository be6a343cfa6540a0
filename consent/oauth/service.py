"""Giving, finding and withdrawing consents. Inner functions: they take the caller's session.

A consent covers the account in which it was given, or, given in none, what needs none. In another
account of the same person the application has to ask again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session

from consent.oauth.events import ConsentEvent
from consent.oauth.models import OAuthConsent
from kernel.database import HotStatement, Reads
from kernel.ids import new_id
from tenants.audit import ledger, person_chain


@dataclass(frozen=True)
class ConnectedApplication:
    """What one application may do for a person in one account, or in none."""

    client_id: str
    account: str | None
    scopes: tuple[str, ...]
    since: datetime


NO_ACCOUNT = ""
"""What stands in a row in place of an account."""


def _allowed() -> Select[*tuple[Any, ...]]:
    return select(OAuthConsent.scopes).where(
        OAuthConsent.person_id == bindparam("person_id"),
        OAuthConsent.client_id == bindparam("client_id"),
        OAuthConsent.account == bindparam("account"),
        OAuthConsent.withdrawn_at.is_(None),
    )


_ALLOWED = HotStatement(_allowed)


def allowed(at: Reads, *, person_id: UUID, client_id: str, account: str | None) -> frozenset[str]:
    """The scopes that this person allows this application now, in this account or in none."""
    rows = _ALLOWED.rows(
        at, person_id=person_id, client_id=client_id, account=account or NO_ACCOUNT
    )
    return frozenset(scope for row in rows for scope in row.scopes)


def standing_consents() -> Select[*tuple[Any, ...]]:
    """All consents that stand, as columns to join with: person_id, client_id, account, scopes.

    Somebody who allowed an application more and more has several rows, which add up. For the few
    statements that must know in the same breath whether a consent stands.
    """
    return select(
        OAuthConsent.person_id, OAuthConsent.client_id, OAuthConsent.account, OAuthConsent.scopes
    ).where(OAuthConsent.withdrawn_at.is_(None))


def is_needed(
    at: Reads, *, person_id: UUID, client_id: str, account: str | None, scopes: Iterable[str]
) -> bool:
    """Whether the person has to be asked: never asked before in this account, or for less."""
    given = allowed(at, person_id=person_id, client_id=client_id, account=account)
    return not covers(given, scopes)


def covers(given: frozenset[str], scopes: Iterable[str]) -> bool:
    """Whether what the person allows is enough for these scopes."""
    return bool(given) and given.issuperset(scopes)


def give(
    session: Session,
    *,
    person_id: UUID,
    client_id: str,
    account: str | None,
    scopes: Iterable[str],
    now: datetime,
    address: str | None = None,
) -> None:
    """Write down that the person allows this, on top of what they allowed before."""
    session.add(
        OAuthConsent(
            id=new_id(),
            person_id=person_id,
            client_id=client_id,
            account=account or NO_ACCOUNT,
            scopes=sorted(set(scopes)),
            given_at=now,
            address=address,
        )
    )
    said = _said(account, scopes)
    _note(session, ConsentEvent.GIVEN, person_id, client_id, now, said, address=address)


def refuse(
    session: Session,
    *,
    person_id: UUID,
    client_id: str,
    account: str | None,
    scopes: Iterable[str],
    now: datetime,
    address: str | None = None,
) -> None:
    """Write down that the person does not allow this. What was allowed before stands."""
    said = _said(account, scopes)
    _note(session, ConsentEvent.REFUSED, person_id, client_id, now, said, address=address)


def withdraw(session: Session, *, person_id: UUID, client_id: str, now: datetime) -> bool:
    """Take everything back that the person allowed this application, in whatever account.

    False if there was nothing.
    """
    taken = session.execute(
        update(OAuthConsent)
        .where(
            OAuthConsent.person_id == person_id,
            OAuthConsent.client_id == client_id,
            OAuthConsent.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now)
        .returning(OAuthConsent.id)
    )
    if not taken.all():
        return False
    _note(session, ConsentEvent.WITHDRAWN, person_id, client_id, now, _said(None, ()))
    return True


def lapse_of_application(session: Session, *, client_id: str, now: datetime) -> int:
    """Have everybody asked again: the application is not called what they agreed to any more.

    Says how many consents ended. Whoever changes an application writes that down.
    """
    lapsed = session.execute(
        update(OAuthConsent)
        .where(OAuthConsent.client_id == client_id, OAuthConsent.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
        .returning(OAuthConsent.id)
    )
    return len(lapsed.all())


def _said(account: str | None, scopes: Iterable[str]) -> dict[str, Any]:
    said: dict[str, Any] = {"scopes": sorted(set(scopes))}
    return said if account is None else {**said, "account": account}


def _note(
    session: Session,
    event: ConsentEvent,
    person_id: UUID,
    client_id: str,
    now: datetime,
    said: dict[str, Any],
    *,
    address: str | None = None,
) -> None:
    ledger.append(
        session,
        chain=person_chain(person_id),
        event=event,
        actor=str(person_id),
        subject=f"client:{client_id}",
        result="success",
        at=now,
        details=said,
        personal={"address": address} if address else None,
    )


def connected_applications(session: Session, *, person_id: UUID) -> list[ConnectedApplication]:
    """All applications that this person allows something, for each account, the oldest first."""
    rows = session.scalars(
        select(OAuthConsent)
        .where(OAuthConsent.person_id == person_id, OAuthConsent.withdrawn_at.is_(None))
        .order_by(OAuthConsent.given_at)
    )
    found: dict[tuple[str, str], ConnectedApplication] = {}
    for row in rows:
        place = (row.client_id, row.account)
        known = found.get(place)
        scopes = dict.fromkeys((*(known.scopes if known else ()), *row.scopes))
        since = known.since if known else row.given_at
        found[place] = ConnectedApplication(
            row.client_id, row.account or None, tuple(scopes), since
        )
    return list(found.values())
