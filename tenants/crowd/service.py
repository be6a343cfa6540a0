"""Making a crowd, quickly: rows as the use cases would have left them, without their histories.

Nothing is random but the ids, so that two crowds of one size are alike.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, insert, select

from kernel.i18n.letters import in_order
from kernel.ids import new_id
from tenants.accounts.models import Account
from tenants.companies.models import Company
from tenants.database import db
from tenants.members.models import Assignment, Membership
from tenants.people.models import Person
from tenants.roles.models import Role

DOMAIN = "crowd.example"
_BATCH = 2_000
_EVERY_SECOND_HOME = 10
_EVERY_CLIENT = 5
_GIVEN = ("Anna", "Piotr", "Maria", "Jan", "Zofia", "Tomasz", "Ewa", "Paweł", "Łucja", "Óscar")
_FAMILY = ("Nowak", "Kowalska", "Wiśniewski", "Żak", "Lewandowska", "Zieliński", "Śliwa", "Dąbek")

Tell = Callable[[int], None]
Row = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How large a crowd is."""

    people: int
    accounts: int
    companies: int
    """Of all accounts together; each has its main company at least."""

    @property
    def rows(self) -> int:
        """How many rows are told while it grows."""
        return self.people + self.accounts + self.companies


@dataclass(frozen=True)
class _Place:
    """An account of the crowd."""

    account: str
    admin: UUID
    worker: UUID
    companies: tuple[str, ...]


def email_of(number: int) -> str:
    """The address of a person of the crowd, as addresses are compared.

    >>> email_of(7)
    'osoba-7@crowd.example'
    """
    return f"osoba-{number}@{DOMAIN}"


def grow(size: Size, *, now: datetime, tell: Tell) -> None:
    """Make the crowd; `tell` hears of every batch how many rows it had.

    Person n is a member of account n modulo accounts, the first one of each its admin; one in ten
    works in a second account, one in five is a client of another.
    """
    places = _places(size, now, tell)
    people = ((number, new_id()) for number in range(size.people))
    while batch := list(islice(people, _BATCH)):
        memberships = [row for each in batch for row in _memberships(*each, places, now)]
        assignments = [
            _assignment(row, places, now) for row in memberships if row["kind"] == "member"
        ]
        for row in memberships:
            del row["number"]
        _write(Person, [_person(*each, now) for each in batch])
        _write(Membership, memberships)
        _write(Assignment, assignments)
        tell(len(batch))


def ids_of(numbers: range) -> dict[int, UUID]:
    """The ids of some people of the crowd."""
    keys = {email_of(number): number for number in numbers}
    with db.reading() as session:
        rows = session.execute(
            select(Person.email_key, Person.id).where(Person.email_key.in_(keys))
        )
        return {keys[row.email_key]: row.id for row in rows}


def _places(size: Size, now: datetime, tell: Tell) -> list[_Place]:
    made: list[_Place] = []
    numbers = iter(range(size.accounts))
    while batch := list(islice(numbers, _BATCH // 4)):
        accounts: list[Row] = []
        roles: list[Row] = []
        companies: list[Row] = []
        for number in batch:
            more = size.companies // size.accounts + (number < size.companies % size.accounts)
            place = _Place(
                secrets.token_hex(6),
                new_id(),
                new_id(),
                tuple(secrets.token_hex(8) for _ in range(max(more, 1))),
            )
            made.append(place)
            accounts.append(_account(number, place, now))
            roles += _roles(place, now)
            companies += _companies(number, place, now)
        _write(Account, accounts)
        _write(Role, roles)
        _write(Company, companies)
        tell(len(accounts) + len(companies))
    return made


def _account(number: int, place: _Place, now: datetime) -> Row:
    return {
        "tenant_id": place.account,
        "name": f"Konto {number}",
        "sort_name": f"konto {number}",
        "is_accounting_office": number % 7 == 0,
        "country": "PL",
        "status": "active",
        "second_factor": "default",
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }


def _roles(place: _Place, now: datetime) -> Iterator[Row]:
    for id_, name, is_admin in ((place.admin, "admin", True), (place.worker, "pracownik", False)):
        yield {
            "tenant_id": place.account,
            "id": id_,
            "name": name,
            "name_key": name,
            "is_admin": is_admin,
            "second_factor": "default",
            "version": 1,
            "created_at": now,
            "updated_at": now,
        }


def _companies(number: int, place: _Place, now: datetime) -> Iterator[Row]:
    for index, key in enumerate(place.companies):
        name = f"Firma {number}-{index}"
        yield {
            "tenant_id": place.account,
            "id": key,
            "name": name,
            "sort_name": in_order(name),
            "country": "PL",
            "is_main": index == 0,
            "version": 1,
            "created_at": now,
            "updated_at": now,
        }


def _person(number: int, id_: UUID, now: datetime) -> Row:
    return {
        "id": id_,
        "email": email_of(number),
        "email_key": email_of(number),
        "status": "active",
        "given_name": _GIVEN[number % len(_GIVEN)],
        "family_name": _FAMILY[number % len(_FAMILY)],
        "created_at": now,
        "updated_at": now,
    }


def _memberships(number: int, person: UUID, places: list[_Place], now: datetime) -> Iterator[Row]:
    home = number % len(places)
    yield _membership(number, person, places[home], "member", now)
    if number % _EVERY_SECOND_HOME == 0 and len(places) > 1:
        yield _membership(number, person, places[(home + 1) % len(places)], "member", now)
    if number % _EVERY_CLIENT == 0:
        yield _membership(
            number, person, places[(home + len(places) // 2) % len(places)], "client", now
        )


def _membership(number: int, person: UUID, place: _Place, kind: str, now: datetime) -> Row:
    given, family = _GIVEN[number % len(_GIVEN)], _FAMILY[number % len(_FAMILY)]
    return {
        "tenant_id": place.account,
        "id": new_id(),
        "person_id": person,
        "kind": kind,
        "state": "active",
        "email": email_of(number),
        "email_key": email_of(number),
        "given_name": given,
        "family_name": family,
        "sort_name": in_order(f"{family} {given}"),
        "accepted_at": now,
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "number": number,
    }


def _assignment(membership: Row, places: list[_Place], now: datetime) -> Row:
    number: int = membership["number"]
    # Only the first home is looked up by number; the second one is its neighbour.
    home = places[number % len(places)]
    if home.account != membership["tenant_id"]:
        home = places[(number + 1) % len(places)]
    is_admin = number < len(places)
    on_company = not is_admin and number % 2 == 0
    return {
        "tenant_id": home.account,
        "id": new_id(),
        "membership_id": membership["id"],
        "role_id": home.admin if is_admin else home.worker,
        "company_id": home.companies[number % len(home.companies)] if on_company else None,
        "created_at": now,
    }


def _write(model: type[Any], rows: list[Row]) -> None:
    if not rows:
        return
    with db.transaction(everywhere=True) as session:
        session.execute(insert(cast(Table, model.__table__)), rows)
