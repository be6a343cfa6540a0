"""The accounts of the demo people: two with one NIP, an office with several companies, a client.

Made once: an account that its owner has changed, left or closed is not made again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.our_applications import CRM
from tenants.accounts import service as accounts
from tenants.applications import service as applications
from tenants.applications.service import ACCOUNTS
from tenants.companies import service as companies
from tenants.database import db
from tenants.lifecycle import service as lifecycle
from tenants.members import service as members
from tenants.members.service import MemberKind, Wanted
from tenants.people import service as people
from tenants.people.service import PersonSummary
from tenants.roles import service as roles
from tenants.roles.power import OPERATOR, Actor, Right

NIP = "1234563218"

_HANNA = "hanna.wilk@klucznik.example"
_MAREK = "marek.sowa@klucznik.example"
_ELLEN = "ellen.marsh@klucznik.example"
_ZOFIA = "zofia.lis@klucznik.example"

_BOOKKEEPING = "księgowość"
_SALES = "sprzedaż"
_ROLES = {
    _BOOKKEEPING: (
        Right(ACCOUNTS, "companies:read"),
        Right(ACCOUNTS, "clients:read"),
        Right(CRM, "contacts:read"),
    ),
    _SALES: (
        Right(CRM, "contacts:read"),
        Right(CRM, "contacts:write"),
        Right(CRM, "client-accounts:create"),
    ),
}


@dataclass(frozen=True)
class DemoMember:
    """Somebody who works in a demo account: in which role, and on which companies (none: on all)."""

    email: str
    role: str
    companies: tuple[str, ...] = ()


@dataclass(frozen=True)
class DemoAccount:
    """An account to look at."""

    name: str
    admin: str
    nip: str | None = None
    is_accounting_office: bool = False
    town: str | None = None
    has_crm: bool = True
    companies: tuple[str, ...] = ()
    members: tuple[DemoMember, ...] = ()
    clients: tuple[str, ...] = ()


ACCOUNTS_TO_MAKE = (
    DemoAccount(
        name="Biuro Rachunkowe Wilk",
        admin=_HANNA,
        nip=NIP,
        is_accounting_office=True,
        town="Łódź",
        companies=("Piekarnia Kłos", "Studio Fala", "Ogrody Maj"),
        members=(DemoMember(_ELLEN, _BOOKKEEPING, ("Piekarnia Kłos", "Studio Fala")),),
    ),
    DemoAccount(
        name="Wilk Deweloper",
        admin=_MAREK,
        nip=NIP,
        town="Łódź",
        companies=("Osiedle Wilcza",),
        members=(DemoMember(_HANNA, _SALES),),
        clients=(_ZOFIA,),
    ),
    DemoAccount(name="Marsh Studio", admin=_ELLEN, town="Gdynia", has_crm=False),
)

_BY = Actor("operator", OPERATOR)


def ensure(*, now: datetime) -> None:
    """Make the demo accounts whose owners have none of their own yet."""
    with db.reading(everywhere=True) as session:
        owners = {one.admin: people.find_by_email(session, one.admin) for one in ACCOUNTS_TO_MAKE}
        without = {
            email: owner
            for email, owner in owners.items()
            if owner is not None and not accounts.created_by(session, owner.id)
        }
    for one in ACCOUNTS_TO_MAKE:
        if one.admin in without:
            _make(one, without[one.admin], now)


def _make(one: DemoAccount, owner: PersonSummary, now: datetime) -> None:
    made = lifecycle.create(
        name=one.name,
        nip=one.nip,
        is_accounting_office=one.is_accounting_office,
        town=one.town,
        creator=owner.id,
        actor=_BY.id,
        now=now,
    )
    with db.transaction(tenant=made.id) as session:
        if one.has_crm:
            applications.give(
                session, account=made.id, application=CRM, actor=_BY.id, by=None, now=now
            )
        keys = {
            name: companies.create(session, made.id, {"name": name}, actor=_BY.id, now=now).id
            for name in one.companies
        }
        for member in one.members:
            _add_member(session, made.id, member, keys, now)
        for email in one.clients:
            _add(session, made.id, email, MemberKind.CLIENT, [], now)


def _add_member(
    session: Session, account: str, member: DemoMember, keys: Mapping[str, str], now: datetime
) -> None:
    role = roles.create(
        session, account, name=member.role, rights=_ROLES[member.role], actor=_BY, now=now
    )
    wanted = [Wanted(role.id, keys[name]) for name in member.companies] or [Wanted(role.id)]
    _add(session, account, member.email, MemberKind.MEMBER, wanted, now)


def _add(
    session: Session,
    account: str,
    email: str,
    kind: MemberKind,
    wanted: list[Wanted],
    now: datetime,
) -> None:
    person = people.find_by_email(session, email)
    members.add(
        session,
        account,
        email=email,
        kind=kind,
        given_name=person.given_name if person else None,
        family_name=person.family_name if person else None,
        assignments=wanted,
        actor=_BY,
        now=now,
        accepted=True,
    )
