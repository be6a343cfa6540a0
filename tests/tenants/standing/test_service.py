"""What a person is in an account, read from the rows as they are now."""

from datetime import timedelta

import pytest

from kernel.database.scopes import OutOfTenant
from kernel.ids import new_id
from tenants.applications.models import Permission
from tenants.applications.rights import Right
from tenants.database import db
from tenants.people.models import Person
from tenants.standing import scope
from tenants.standing import service as standings
from tests.conftest import NOON, ON_POSTGRESQL
from tests.statements import asked_of
from tests.tenants.making import (
    a_client,
    a_company,
    a_member,
    a_person,
    a_role,
    an_account,
    an_application,
    assign,
    change_account,
    change_company,
    change_role,
    give,
    take,
)

READ, WRITE, SETTINGS = (
    Right("crm", "contacts:read"),
    Right("crm", "contacts:write"),
    Right("crm", "settings:manage"),
)


@pytest.fixture
def crm(identity_app):
    return an_application(
        "crm", permissions=("contacts:read", "contacts:write", "account/settings:manage")
    )


@pytest.fixture
def account(crm):
    return an_account(applications=[crm])


@pytest.fixture
def anna(identity_app):
    return a_person("anna@example.com")


def _of(account, person_id, **more):
    with db.glancing() as glance:
        found = standings.of(glance, account=account.id, person_id=person_id, now=NOON, **more)
    with db.reading(tenant=account.id) as session:
        same = standings.of(session, account=account.id, person_id=person_id, now=NOON, **more)
    assert found == same
    return found


def test_a_stranger_has_no_standing_and_neither_has_anybody_in_an_unknown_account(account, anna):
    with db.glancing() as glance:
        unknown = standings.of(glance, account="0" * 12, person_id=anna, now=NOON)

    assert _of(account, anna) is None
    assert unknown is None


def test_a_member_has_the_roles_that_they_hold_and_what_these_give(account, anna):
    role = a_role(account.id, rights=[READ, SETTINGS])
    member = a_member(account.id, anna, roles=[role, (role, account.main_company)])

    found = _of(account, anna)

    assert (found.account_name, found.account_status) == ("Zielony Dom", "active")
    assert (found.member_id, found.member_state) == (member, "active")
    assert found.person_is_active
    assert {(held.company, held.rights) for held in found.roles} == {
        (None, frozenset({READ, SETTINGS})),
        # What is of the account means nothing on one company alone.
        (account.main_company, frozenset({READ})),
    }
    assert scope.rights_in(found, None) == {READ, SETTINGS}


def test_both_kinds_of_membership_are_told_apart(account, anna):
    client = a_client(account.id, anna, state="blocked")
    before = _of(account, anna)
    member = a_member(account.id, anna, state="pending")

    after = _of(account, anna)

    assert (before.member_id, before.client_id, before.client_state) == (None, client, "blocked")
    assert (after.member_id, after.member_state, after.client_id) == (member, "pending", client)


def test_an_admin_has_all_that_is_declared_on_a_company_all_that_means_something_there(
    account, anna
):
    a_member(account.id, anna, roles=[account.admin_role])
    other = a_person()
    a_member(account.id, other, roles=[(account.admin_role, account.main_company)])

    admin, of_company = _of(account, anna), _of(account, other)

    assert admin.roles[0].rights == frozenset()
    assert scope.rights_in(admin, None) == {READ, WRITE, SETTINGS}
    assert scope.rights_in(of_company, None) == frozenset()
    assert scope.rights_in(of_company, account.main_company) == {READ, WRITE}


@pytest.mark.product("TEN-17")
def test_what_the_account_does_not_have_gives_nobody_a_right(account, anna):
    role = a_role(account.id, rights=[READ])
    a_member(account.id, anna, roles=[role, account.admin_role])
    had = _of(account, anna)

    take(account.id, "crm")
    without = _of(account, anna)
    give(account.id, "crm")

    assert "crm" in had.applications
    assert "crm" not in without.applications
    assert without.audiences == {"https://crm.example": "crm"}
    assert scope.rights_in(without, None) == frozenset()
    assert _of(account, anna) == had


def test_an_application_for_every_account_is_had_without_being_given(account, anna):
    an_application("portal", for_every_account=True, context="none")
    a_member(account.id, anna)

    assert _of(account, anna).applications == {"crm", "portal"}


def test_a_role_is_held_until_the_second_in_which_it_expires(account, anna):
    role = a_role(account.id, rights=[READ])
    member = a_member(account.id, anna)
    assign(account.id, member, role, expires_at=NOON)
    assign(account.id, member, role, account.main_company, expires_at=NOON + timedelta(seconds=1))

    assert [held.company for held in _of(account, anna).roles] == [account.main_company]


def test_a_retired_permission_is_nobodys(account, anna):
    role = a_role(account.id, rights=[READ, WRITE])
    a_member(account.id, anna, roles=[role, account.admin_role])
    with db.transaction() as session:
        session.get_one(Permission, ("crm", "contacts:write")).retired_at = NOON

    found = _of(account, anna)

    assert scope.rights_in(found, None) == {READ, SETTINGS}
    assert found.roles[0].rights | found.roles[1].rights == {READ}


def test_a_company_is_there_while_it_is_not_archived_and_of_this_account(account, anna):
    a_member(account.id, anna)
    company, foreign = a_company(account.id), an_account().main_company
    there = _of(account, anna, company=company)

    change_company(account.id, company, archived_at=NOON)

    assert (there.company, there.company_name) == (company, "Budowa")
    assert _of(account, anna, company=company).company is None
    assert _of(account, anna, company=foreign).company is None
    assert _of(account, anna, company="f" * 16).company is None


@pytest.mark.product("ID-6")
def test_account_and_role_say_how_strong_a_sign_in_has_to_be(account, anna):
    role = a_role(account.id)
    a_member(account.id, anna, roles=[(role, account.main_company)])
    plain = _of(account, anna)

    change_role(account.id, role, second_factor="strong")
    by_role = _of(account, anna)
    change_account(account.id, second_factor="strong", sign_in_hours=8)
    by_account = _of(account, anna)

    assert not scope.asks_for_strong(plain, account.main_company)
    assert scope.asks_for_strong(by_role, account.main_company)
    assert not scope.asks_for_strong(by_role, None)
    assert scope.asks_for_strong(by_account, None)
    assert (plain.sign_in_hours, by_account.sign_in_hours) == (None, 8)


def test_a_blocked_person_has_a_standing_that_says_so(account, anna):
    a_member(account.id, anna)
    with db.transaction() as session:
        session.get_one(Person, anna).status = "blocked"

    assert not _of(account, anna).person_is_active


@pytest.mark.security("13.1")
def test_what_somebody_holds_elsewhere_does_not_count(account, anna):
    elsewhere = an_account(applications=["crm"])
    a_member(elsewhere.id, anna, roles=[elsewhere.admin_role])
    a_member(account.id, anna)

    assert _of(account, anna).roles == ()
    assert _of(account, new_id()) is None


@pytest.mark.security("13.3", "13.4")
def test_a_session_of_one_account_reads_no_standing_in_another_however_often_it_was_read(
    account, anna
):
    other = an_account()
    a_member(account.id, anna)
    assert _of(account, anna) is not None

    with db.reading(tenant=other.id) as session:
        if ON_POSTGRESQL:
            assert standings.of(session, account=account.id, person_id=anna, now=NOON) is None
        else:
            with pytest.raises(OutOfTenant):
                standings.of(session, account=account.id, person_id=anna, now=NOON)


def test_a_standing_takes_two_statements_whatever_it_holds(account, anna):
    member = a_member(account.id, anna)
    for number in range(30):
        assign(account.id, member, a_role(account.id, f"Role {number}", rights=[READ, WRITE]))
    _of(account, anna)

    with asked_of(db.engine) as asked, db.glancing() as glance:
        found = standings.of(glance, account=account.id, person_id=anna, now=NOON)

    assert len(found.roles) == 30
    assert asked.cost == (2, 0, 0)


@pytest.mark.product("OP-5")
@pytest.mark.parametrize(("as_member", "as_client"), [(2, 1), (1, 2), (None, 2), (2, None)])
def test_whose_sessions_are_ended_as_one_of_both_is_signed_out_as_both(
    account, anna, as_member, as_client
):
    def moment(hours):
        return None if hours is None else NOON - timedelta(days=1) + timedelta(hours=hours)

    a_member(account.id, anna, signed_out_at=moment(as_member))
    a_client(account.id, anna, signed_out_at=moment(as_client))

    assert _of(account, anna).signed_out_at == moment(2)
