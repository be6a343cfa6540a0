"""Where a request leads a person, read from the rows as they are."""

import pytest

from idp.contexts import service
from idp.contexts.choice import NOWHERE, Asked
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import an_app
from tests.statements import asked_of
from tests.tenants.acting import facts
from tests.tenants.making import a_company, a_member, a_person, a_role, an_account, an_application


@pytest.fixture
def anna(identity_app):
    an_application("crm")
    an_application("ksef", context="company")
    return a_person("anna@example.com")


def _resolve(asked, person_id, *, application="crm"):
    client = an_app(first_party=True, application=application).registered()
    with db.glancing() as glance:
        return service.resolve(glance, client, asked, person_id=person_id, now=NOON)


def test_a_client_without_accounts_is_nowhere(anna):
    assert _resolve(Asked(), anna, application=None) is NOWHERE


@pytest.mark.security("2.5")
def test_a_client_without_accounts_gets_none_even_when_it_names_one(anna):
    account = an_account()
    a_member(account.id, anna)

    assert _resolve(Asked(account.id), anna, application=None).why_refused is not None


def test_the_only_account_is_taken_and_several_are_asked_about(anna):
    nothing = _resolve(Asked(), anna)
    first = an_account(applications=["crm"])
    a_member(first.id, anna)
    only = _resolve(Asked(), anna)
    a_member(an_account(applications=["crm"]).id, anna)

    several = _resolve(Asked(), anna)

    assert (nothing.account, nothing.has_to_be_chosen) == (None, True)
    assert (only.account, only.has_to_be_chosen) == (first.id, False)
    assert (several.account, several.has_to_be_chosen) == (None, True)


def test_what_was_chosen_is_asked_about_again_when_it_is_gone(anna):
    accounts = [an_account(applications=["crm"]) for _ in range(2)]
    for account in accounts:
        a_member(account.id, anna)

    chosen = _resolve(Asked(chosen_account=accounts[1].id), anna)
    foreign = _resolve(Asked(chosen_account=an_account(applications=["crm"]).id), anna)

    assert chosen.account == accounts[1].id
    assert (foreign.account, foreign.has_to_be_chosen) == (None, True)


def test_a_company_is_needed_where_the_application_says_so(anna):
    account = an_account(applications=["ksef"])
    role = a_role(account.id)
    a_member(account.id, anna, roles=[role])

    only = _resolve(Asked(account.id), anna, application="ksef")
    another = a_company(account.id)
    several = _resolve(Asked(account.id), anna, application="ksef")
    named = _resolve(Asked(account.id, another), anna, application="ksef")
    chosen = _resolve(Asked(account.id, chosen_company=another), anna, application="ksef")

    assert (only.company, only.has_to_be_chosen) == (account.main_company, False)
    assert (several.company, several.has_to_be_chosen) == (None, True)
    assert (named.company, named.has_to_be_chosen) == (another, False)
    assert (chosen.company, chosen.has_to_be_chosen) == (another, False)


def test_an_account_that_is_named_costs_two_statements(anna):
    account = an_account(applications=["crm"])
    a_member(account.id, anna, roles=[account.admin_role])
    client = an_app(first_party=True, application="crm").registered()

    with asked_of(db.engine) as asked, db.glancing() as glance:
        service.resolve(glance, client, Asked(account.id), person_id=anna, now=NOON)

    assert asked.cost == (2, 0, 0)


@pytest.mark.parametrize(("accepts", "told"), [(True, "member.accepted"), (False, "member.left")])
def test_a_place_is_taken_or_declined_once_and_only_by_whom_it_is_for(anna, accepts, told):
    account = an_account()
    a_member(account.id, anna, state="pending", accepted_at=None)

    service.take_place(account.id, person_id=a_person(), accepts=accepts, now=NOON)
    service.take_place("0" * 12, person_id=anna, accepts=accepts, now=NOON)
    assert facts() == []

    for _ in range(2):
        service.take_place(account.id, person_id=anna, accepts=accepts, now=NOON)
    assert facts() == [(told, account.id, anna)]
