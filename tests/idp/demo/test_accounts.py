"""The demo accounts show what accounts are."""

import pytest

from idp import our_applications
from idp.demo import accounts, service
from idp.demo.people import PEOPLE
from kernel.pages import PageRequest
from tenants.accounts import service as every_account
from tenants.accounts.details import cleaned
from tenants.applications import service as applications
from tenants.companies import service as companies
from tenants.database import db
from tenants.lifecycle import service as lifecycle
from tenants.members import listing
from tenants.members.service import MemberKind
from tenants.people import service as people
from tenants.roles.power import OPERATOR, Actor

OPERATING = Actor("operator", OPERATOR)


@pytest.fixture
def made(identity_app, now):
    """The demo accounts by their names."""
    with db.transaction() as session:
        our_applications.declare(session, identity_app.extensions["klucznik.settings"], now=now)
    service.ensure(now=now)
    accounts.ensure(now=now)
    return all_accounts()


def all_accounts():
    with db.reading(everywhere=True) as session:
        found = every_account.listed(session, asked=PageRequest())
    return {one.name: one for one in found.items}


def users(account, now, kind=MemberKind.MEMBER):
    with db.reading(tenant=account.id) as session:
        page = listing.listed(
            session,
            account.id,
            kind=kind,
            actor=OPERATING,
            asked=PageRequest(),
            now=now,
        )
    return {one.email: one for one in page.items}


@pytest.mark.product("OPS-1", "TEN-17")
def test_two_accounts_have_one_nip(made):
    with_nip = [one for one in made.values() if one.nip == accounts.NIP]

    assert len(with_nip) == 2
    assert cleaned({"nip": accounts.NIP})


@pytest.mark.product("OPS-1", "TEN-4")
def test_an_accounting_office_has_several_companies(made):
    office = made["Biuro Rachunkowe Wilk"]

    with db.reading(tenant=office.id) as session:
        assert office.is_accounting_office
        assert companies.count(session, office.id) == 4


@pytest.mark.product("OPS-1", "TEN-6")
def test_one_person_works_in_two_accounts_with_different_permissions(made, now):
    hanna = "hanna.wilk@klucznik.example"

    at_home = users(made["Biuro Rachunkowe Wilk"], now)[hanna]
    elsewhere = users(made["Wilk Deweloper"], now)[hanna]

    assert [held.role_name for held in at_home.assignments] == ["admin"]
    assert [held.role_name for held in elsewhere.assignments] == ["sprzedaż"]


@pytest.mark.product("OPS-1", "TEN-6")
def test_somebody_works_on_some_companies_of_an_account_alone(made, now):
    ellen = users(made["Biuro Rachunkowe Wilk"], now)["ellen.marsh@klucznik.example"]

    assert len(ellen.assignments) == 2
    assert all(held.company for held in ellen.assignments)


@pytest.mark.product("OPS-1", "TEN-6")
def test_somebody_is_a_client_and_no_user(made, now):
    account = made["Wilk Deweloper"]

    assert "zofia.lis@klucznik.example" in users(account, now, MemberKind.CLIENT)
    assert "zofia.lis@klucznik.example" not in users(account, now)


@pytest.mark.product("OPS-1", "TEN-17")
def test_an_account_does_without_the_crm(made):
    def has_crm(account) -> bool:
        with db.reading(tenant=account.id) as session:
            given = applications.given_to(session, account.id)
        return "crm" in {one.id for one in given}

    assert {name for name, account in made.items() if not has_crm(account)} == {"Marsh Studio"}


def test_everybody_in_the_accounts_is_one_of_the_demo_people(made, now):
    known = {person.email for person in PEOPLE}

    for account in made.values():
        for kind in MemberKind:
            assert set(users(account, now, kind)) <= known


def test_an_account_that_was_closed_is_not_made_again(made, now):
    studio = made["Marsh Studio"]
    with db.transaction(tenant=studio.id) as session:
        lifecycle.close(session, studio.id, actor="operator", now=now)

    accounts.ensure(now=now)

    assert len(all_accounts()) == len(made)


def test_without_demo_people_there_are_no_demo_accounts(identity_app, now):
    accounts.ensure(now=now)

    assert all_accounts() == {}
    with db.reading() as session:
        assert people.find_by_email(session, "hanna.wilk@klucznik.example") is None
