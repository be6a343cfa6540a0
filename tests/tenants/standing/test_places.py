"""Where a person may be."""

import pytest

from kernel.database.scopes import OutOfTenant
from tenants.database import db
from tenants.standing import places
from tenants.standing import service as standings
from tests.conftest import NOON, ON_POSTGRESQL
from tests.tenants.making import (
    a_client,
    a_company,
    a_member,
    a_person,
    a_role,
    an_account,
    an_application,
)


@pytest.fixture
def anna(identity_app):
    an_application("crm")
    an_application("portal", for_every_account=True)
    return a_person("anna@example.com")


def _of(person_id):
    with db.reading(person=person_id) as session:
        return places.of_person(session, person_id)


@pytest.mark.product("TEN-6")
def test_a_person_sees_all_their_accounts_in_both_kinds_and_nobody_elses(anna):
    first = an_account("Beta", applications=["crm"])
    second = an_account("alfa", status="suspended")
    foreign = an_account("Foreign", applications=["crm"])
    a_member(first.id, anna)
    a_client(first.id, anna, state="blocked")
    a_client(second.id, anna)
    a_member(foreign.id)

    found = _of(anna)

    assert [
        (place.name, place.status, place.member_state, place.client_state) for place in found
    ] == [("alfa", "suspended", None, "active"), ("Beta", "active", "active", "blocked")]
    assert found[1].applications == {"crm", "portal"}
    assert [place.is_open_for("crm") for place in found] == [False, True]


@pytest.mark.security("13.4")
def test_one_person_does_not_read_as_another(anna):
    other = a_person()
    account = an_account()
    a_member(account.id, other)

    with db.reading(person=anna) as session:
        if ON_POSTGRESQL:
            assert places.of_person(session, other) == ()
        else:
            with pytest.raises(OutOfTenant):
                places.of_person(session, other)


def test_a_place_waits_until_it_is_taken(anna):
    account = an_account(applications=["crm"])
    a_member(account.id, anna, state="pending")

    [place] = _of(anna)

    assert place.waits_for("crm")
    assert not place.is_open_for("crm")
    assert not place.waits_for("other")


def _companies(account, person_id, **more):
    with db.reading(tenant=account.id) as session:
        standing = standings.of(session, account=account.id, person_id=person_id, now=NOON)
        assert standing is not None
        found = places.companies_of(session, standing, **({"most": 10} | more))
    return [company.name for company in found]


def test_companies_are_those_with_a_role_and_all_for_a_role_on_the_account(anna):
    account = an_account("Zielony Dom")
    role = a_role(account.id)
    one, _ = a_company(account.id, "Żak"), a_company(account.id, "100% Dom")
    a_company(account.id, "Archived", archived_at=NOON)
    boss = a_person()
    a_member(account.id, anna, roles=[(role, one)])
    a_member(account.id, boss, roles=[role])
    nobody = a_person()
    a_member(account.id, nobody)

    assert _companies(account, anna) == ["Żak"]
    assert _companies(account, boss) == ["100% Dom", "Zielony Dom", "Żak"]
    assert _companies(account, nobody) == []
    assert _companies(account, boss, search="DOM") == ["100% Dom", "Zielony Dom"]
    assert _companies(account, boss, search="0%") == ["100% Dom"]
    assert len(_companies(account, boss, most=2)) == 2
