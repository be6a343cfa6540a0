"""Giving a person their first access: for programs and the operator.

    fresh = prepare(How.TEMPORARY_PASSWORD)
    with db.transaction() as session:
        give(session, person_id=person.id, fresh=fresh, by="client:crm", now=now)

Nobody who calls this learns the secret: it is hashed at once, and travels encrypted to the mail.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.access import return_address
from idp.access.models import FirstAccess
from idp.credentials import mailed_link, password, temporary_password
from idp.credentials.email_code import Purpose
from idp.credentials.hashing import hashing
from idp.credentials.own_access import has_own_access
from idp.events import IdpEvent
from idp.mails import service as mails
from idp.mails.service import Recipient
from idp.settings import current_settings
from kernel.database import dialect_of, upsert
from kernel.errors import NotFound, Refused
from kernel.limits import Refusal, Window
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.limits import limits
from tenants.people import service as people
from tenants.people.address import canonical_email
from tenants.people.service import PersonSummary

__all__ = [
    "AddedTo",
    "Fresh",
    "Given",
    "HasOwnAccess",
    "How",
    "State",
    "give",
    "has_own_access",
    "lifetime",
    "prepare",
    "send_again",
    "state",
]

MAILS_TO_PERSON = Window("mail:access", limit=5, every=timedelta(hours=1))


class How(StrEnum):
    """By what a person gets in for the first time."""

    TEMPORARY_PASSWORD = "temporary-password"  # noqa: S105
    WELCOME_LINK = "welcome-link"


class HasOwnAccess(Refused):
    """The person has a password, a passkey or an app of their own; nobody else touches that."""

    status = 409
    reason = "has_own_access"


@dataclass(frozen=True)
class Fresh:
    """A secret that nobody has seen, ready to be given."""

    how: How
    secret: str = field(repr=False, default="")
    hash: str = field(repr=False, default="")


@dataclass(frozen=True)
class AddedTo:
    """The account that lets a person in, in words that a mail can carry."""

    account: str
    companies: tuple[str, ...] = ()
    """Those that it is about; none: the whole account."""
    is_client: bool = False


@dataclass(frozen=True)
class Given:
    """What was given last. Not sent: the mailbox got so many mails lately that all stays as it was."""

    how: How
    until: datetime
    sent: bool


@dataclass(frozen=True)
class State:
    """Whether the person has set a password (or more) of their own; and if not, what was given."""

    is_activated: bool
    how: How | None
    until: datetime | None


def prepare(how: How) -> Fresh:
    """A fresh secret. It may take a hash, so never call it inside a transaction."""
    if how is How.WELCOME_LINK:
        return Fresh(how)
    secret = temporary_password.generate()
    return Fresh(how, secret, hashing().hash(password.normalised(secret)))


def give(
    session: Session,
    *,
    person_id: UUID,
    fresh: Fresh,
    by: str,
    now: datetime,
    return_to: str | None = None,
    application: str | None = None,
    added_to: AddedTo | None = None,
) -> Given:
    """Let a person in who never was: what was given before counts no more.

    `by` is who gives it, for the audit trail: «operator», «client:crm», a person's id. The mail
    names the account that the person was added to, if one is said, and leads to `return_to`, an
    address of `application` or (without one) of any; without an address to where the last one led,
    else to the portal. Raises HasOwnAccess, NotAnAddressOfOurs, NotFound.
    """
    person = people.find(session, person_id)
    if person is None or not person.is_active:
        raise NotFound("no such person, or not an active one")
    if return_to is not None:
        return_to = return_address.check(session, return_to, application=application)
    access = _lock(session, person_id, fresh.how, now)
    if has_own_access(session, person_id=person_id):
        raise HasOwnAccess("has a password, a passkey or an app already")
    taken = limits.take_in(session, key=person.email_key, policy=MAILS_TO_PERSON, now=now)
    if isinstance(taken, Refusal):
        return Given(How(access.how), access.until, sent=False)
    access.how, access.given_at, access.until = fresh.how, now, now + lifetime(fresh.how)
    access.return_to = return_to or access.return_to
    _supersede(session, person, fresh, access, added_to, now)
    _note(session, access, by, now)
    return Given(fresh.how, access.until, sent=True)


def send_again(person_id: UUID, *, by: str, now: datetime) -> Given:
    """Give a fresh secret of the kind that was given before; raises HasOwnAccess, NotFound."""
    with db.reading() as session:
        how = state(session, person_id=person_id).how or How.TEMPORARY_PASSWORD
    fresh = prepare(how)
    with db.transaction() as session:
        return give(session, person_id=person_id, fresh=fresh, by=by, now=now)


def state(session: Session, *, person_id: UUID) -> State:
    """How far the person has come."""
    if has_own_access(session, person_id=person_id):
        return State(is_activated=True, how=None, until=None)
    found = session.execute(
        select(FirstAccess.how, FirstAccess.until).where(FirstAccess.person_id == person_id)
    ).one_or_none()
    if found is None:
        return State(is_activated=False, how=None, until=None)
    return State(is_activated=False, how=How(found.how), until=found.until)


def lifetime(how: How) -> timedelta:
    """How long a secret of this kind works."""
    settings = current_settings()
    match how:
        case How.TEMPORARY_PASSWORD:
            return timedelta(hours=settings.temporary_password_hours)
        case How.WELCOME_LINK:
            return timedelta(hours=settings.welcome_link_hours)


def _lock(session: Session, person_id: UUID, how: How, now: datetime) -> FirstAccess:
    """The row of this person, made if need be. Of two at once, the later one waits here."""
    insert = upsert(dialect_of(session), FirstAccess).values(
        person_id=person_id, how=how, return_to=return_address.default(), given_at=now, until=now
    )
    session.execute(
        insert.on_conflict_do_update(
            index_elements=[FirstAccess.person_id], set_={"person_id": insert.excluded.person_id}
        )
    )
    return session.get_one(FirstAccess, person_id, populate_existing=True)


def _supersede(
    session: Session,
    person: PersonSummary,
    fresh: Fresh,
    access: FirstAccess,
    added_to: AddedTo | None,
    now: datetime,
) -> None:
    """Put the fresh secret in the place of all former ones, and into a mail."""
    mailed_link.void_all(session, email_key=person.email_key, purpose=Purpose.WELCOME, now=now)
    words: dict[str, Any] = {
        "expires_at": access.until.isoformat(),
        "return_to": access.return_to,
        "account": added_to.account if added_to else None,
        "companies": list(added_to.companies) if added_to else [],
        "is_client": added_to is not None and added_to.is_client,
    }
    if fresh.how is How.TEMPORARY_PASSWORD:
        letter = "access/temporary_password"
        if not temporary_password.store(
            session, person_id=person.id, hash_=fresh.hash, until=access.until, now=now
        ):
            raise HasOwnAccess("set a password just now")
        words["password"] = fresh.secret
    else:
        letter = "access/welcome"
        temporary_password.remove(session, person_id=person.id)
        token = mailed_link.issue(
            session,
            address=canonical_email(person.email),
            purpose=Purpose.WELCOME,
            flow_id=None,
            lifetime=lifetime(fresh.how),
            now=now,
        )
        words["welcome_token"] = token
    mails.send(
        session,
        letter,
        to=Recipient.of(person, otherwise=current_settings().default_locale),
        person_id=person.id,
        context=words,
        expires_at=access.until,
        now=now,
    )


def _note(session: Session, access: FirstAccess, by: str, now: datetime) -> None:
    ledger.append(
        session,
        chain=person_chain(access.person_id),
        event=IdpEvent.ACCESS_GIVEN,
        actor=by,
        subject=str(access.person_id),
        result="success",
        at=now,
        details={"how": access.how, "until": access.until.isoformat()},
    )
