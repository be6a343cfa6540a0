"""Finding, creating and describing people.

Inner functions: they take the caller's session and open no transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, Table, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kernel.database import dialect_of, upsert
from kernel.errors import Refused
from kernel.ids import new_id
from tenants.people.address import Address, NotAnAddress, canonical_email
from tenants.people.models import Person

__all__ = [
    "Address",
    "EmailTaken",
    "Newcomer",
    "NotAnAddress",
    "PersonSummary",
    "Status",
    "active_people",
    "block",
    "canonical_email",
    "create",
    "create_many",
    "describe",
    "find",
    "find_by_email",
    "hold",
    "known_keys",
    "unblock",
]

_TABLE = cast(Table, Person.__table__)
Columns = Select[*tuple[Any, ...]]

_COLUMNS = (
    Person.id,
    Person.email,
    Person.email_key,
    Person.status,
    Person.given_name,
    Person.family_name,
    Person.phone,
    Person.locale,
    Person.zoneinfo,
    Person.picture,
    Person.created_at,
    Person.updated_at,
)

# What a person may say about themselves. The address is not among them (ID-3).
PROFILE_FIELDS = frozenset({"given_name", "family_name", "phone", "locale", "zoneinfo", "picture"})


class Status(StrEnum):
    """Whether an ID can be used."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    ERASED = "erased"


class EmailTaken(Refused):
    """Another ID has this address. Not for the eyes of somebody who has not proved the mailbox."""

    status = 409
    reason = "email_taken"


@dataclass(frozen=True)
class PersonSummary:
    """What others may know of a person's row."""

    id: UUID
    email: str
    email_key: str
    status: str
    given_name: str | None
    family_name: str | None
    phone: str | None
    locale: str | None
    zoneinfo: str | None
    picture: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_active(self) -> bool:
        return self.status == Status.ACTIVE

    @property
    def name(self) -> str:
        """The full name, or an empty text."""
        return " ".join(part for part in (self.given_name, self.family_name) if part)

    @property
    def short_name(self) -> str:
        """What to call the person where room is short: the given name, else the address."""
        return self.given_name or self.email


@dataclass(frozen=True)
class Newcomer:
    """Somebody who is to have an ID."""

    address: Address
    given_name: str | None = None
    family_name: str | None = None
    phone: str | None = None
    locale: str | None = None
    zoneinfo: str | None = None


def find(session: Session, person_id: UUID) -> PersonSummary | None:
    """The person with this id, in whatever state."""
    return _one(session, select(*_COLUMNS).where(Person.id == person_id))


def find_all(session: Session, person_ids: Collection[UUID]) -> dict[UUID, PersonSummary]:
    """These people by their ids, in whatever state."""
    wanted: Columns = select(*_COLUMNS).where(Person.id.in_(person_ids))
    return {row.id: PersonSummary(*row) for row in session.execute(wanted)}


def find_by_email(session: Session, text: object) -> PersonSummary | None:
    """The person with this address, however it is spelled; None also for what is no address."""
    try:
        address = canonical_email(text)
    except NotAnAddress:
        return None
    return _one(session, select(*_COLUMNS).where(Person.email_key == address.key))


def create(
    session: Session,
    *,
    email: str,
    now: datetime,
    given_name: str | None = None,
    family_name: str | None = None,
    locale: str | None = None,
) -> PersonSummary:
    """A new ID for an address that its owner has proved; raises NotAnAddress, EmailTaken."""
    address = canonical_email(email)
    person = Person(
        id=new_id(),
        email=address.display,
        email_key=address.key,
        status=Status.ACTIVE,
        given_name=given_name,
        family_name=family_name,
        locale=locale,
        created_at=now,
        updated_at=now,
    )
    try:
        with session.begin_nested():
            session.add(person)
    except IntegrityError as taken:
        raise EmailTaken("another ID has this address") from taken
    found = find(session, person.id)
    if found is None:
        raise EmailTaken("the row vanished")
    return found


def create_many(
    session: Session, newcomers: Sequence[Newcomer], *, now: datetime
) -> dict[str, UUID]:
    """New IDs for all addresses that nobody has yet, by the key of the address.

    One statement for all of them: who is there already, or made in the same moment, is left alone.
    """
    if not newcomers:
        return {}
    made = session.execute(
        upsert(dialect_of(session), _TABLE)
        .on_conflict_do_nothing(index_elements=[Person.email_key])
        .returning(_TABLE.c.email_key, _TABLE.c.id),
        [
            {
                "id": new_id(),
                "email": one.address.display,
                "email_key": one.address.key,
                "status": Status.ACTIVE,
                "given_name": one.given_name,
                "family_name": one.family_name,
                "phone": one.phone,
                "locale": one.locale,
                "zoneinfo": one.zoneinfo,
                "created_at": now,
                "updated_at": now,
            }
            # In one order, so that two who do this at once never wait for each other in a circle.
            for one in sorted(newcomers, key=lambda one: one.address.key)
        ],
    )
    return {row.email_key: row.id for row in made}


def known_keys(session: Session, keys: Collection[str]) -> set[str]:
    """Which of these addresses have an ID, in whatever state."""
    return set(session.scalars(select(Person.email_key).where(Person.email_key.in_(keys))))


def describe(
    session: Session, *, person_id: UUID, values: Mapping[str, str | None], now: datetime
) -> bool:
    """Change what a person says about themselves; answers whether anything changed."""
    unknown = set(values) - PROFILE_FIELDS
    if unknown:
        raise ValueError(f"not part of a profile: {', '.join(sorted(unknown))}")
    before = find(session, person_id)
    if before is None or all(getattr(before, name) == value for name, value in values.items()):
        return False
    session.execute(update(Person).where(Person.id == person_id).values(**values, updated_at=now))
    return True


def hold(session: Session, person_id: UUID) -> None:
    """Nothing that belongs to the person begins until this transaction ends; what has is over.

    Whoever writes a row that names the person (a session, a device) waits, or is waited for.
    """
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update())


def block(session: Session, person_id: UUID, *, now: datetime) -> bool:
    """Let nobody use this ID (ID-11); False when nobody could. What was begun is the caller's to end."""
    return _turn(session, person_id, before=Status.ACTIVE, after=Status.BLOCKED, now=now)


def unblock(session: Session, person_id: UUID, *, now: datetime) -> bool:
    """Let it be used again; False when it was not blocked."""
    return _turn(session, person_id, before=Status.BLOCKED, after=Status.ACTIVE, now=now)


def _turn(
    session: Session, person_id: UUID, *, before: Status, after: Status, now: datetime
) -> bool:
    turned = session.execute(
        update(Person)
        .where(Person.id == person_id, Person.status == before)
        .values(status=after, updated_at=now)
        .returning(Person.id)
    )
    return turned.first() is not None


def active_people() -> Columns:
    """Everybody whose ID can be used, as columns to join with.

    id, email, email_key and the profile. For the few statements that must know in the same breath
    whether a person is active.
    """
    return select(
        Person.id,
        Person.email,
        Person.email_key,
        Person.locale,
        Person.zoneinfo,
        Person.given_name,
        Person.family_name,
        Person.phone,
        Person.picture,
        Person.updated_at,
    ).where(Person.status == Status.ACTIVE)


def _one(session: Session, statement: Columns) -> PersonSummary | None:
    row = session.execute(statement).one_or_none()
    return PersonSummary(*row) if row is not None else None
