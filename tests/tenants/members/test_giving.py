"""Roles are given, prolonged and taken, and each change is told."""

from datetime import timedelta

import pytest

from tenants.audit import account_chain, ledger
from tenants.database import db
from tenants.members import giving
from tenants.members.assignments import Place
from tenants.members.service import NotValid, Wanted
from tests.idp.race import all_at_once
from tests.tenants import making
from tests.tenants.acting import BOSS, an_office, facts, holdings
from tests.tenants.members.doing import add, do

pytestmark = pytest.mark.usefixtures("identity_app")


def test_a_role_is_wanted_once_in_a_place_and_not_until_yesterday(office, now):
    with pytest.raises(NotValid):
        add(office, BOSS, now, assignments=[Wanted(office.watching)] * 2)
    with pytest.raises(NotValid):
        add(office, BOSS, now, assignments=[Wanted(office.watching, None, now)])


@pytest.mark.security("13.6")
def test_roles_and_companies_of_others_are_as_unknown_as_none(office, now):
    other = an_office("Inny")
    archived = making.a_company(office.id, archived_at=now)

    for wanted in (
        Wanted(other.watching),
        Wanted(office.watching, other.main),
        Wanted(office.watching, "f" * 16),
        Wanted(office.watching, archived),
    ):
        with pytest.raises(NotValid):
            add(office, BOSS, now, assignments=[wanted])


@pytest.mark.product("TEN-6")
def test_permissions_are_changed(office, now):
    member = office.someone(office.watching, (office.editing, office.main))
    wanted = [Wanted(office.watching), Wanted(office.selling, office.second)]

    news = do(office, giving.set_assignments, member.membership, wanted, actor=BOSS, now=now)
    again = do(office, giving.set_assignments, member.membership, wanted, actor=BOSS, now=now)

    assert (news, again) == (True, False)
    assert holdings(office.id, member.membership) == {
        (office.watching, None, None),
        (office.selling, office.second, None),
    }
    assert facts()[-1] == ("member.roles_changed", office.id, member.person)


@pytest.mark.product("TEN-13")
def test_the_trail_names_every_role_also_where_there_are_many(office, now):
    roles = [making.a_role(office.id, f"Rola {number}") for number in range(130)]
    member = office.someone()

    wanted = [Wanted(role) for role in roles]
    do(office, giving.set_assignments, member.membership, wanted, actor=BOSS, now=now)

    with db.reading() as session:
        rows = ledger.history(session, chain=account_chain(office.id))
    named = [one["role"] for row in rows for one in row.details["given"]]
    assert (len(rows), sorted(named)) == (2, sorted(map(str, roles)))


@pytest.mark.product("TEN-6")
def test_a_role_is_given_until_a_moment_prolonged_and_taken(office, now):
    member = office.someone()
    soon, later = now + timedelta(days=1), now + timedelta(days=9)
    place = Place(office.watching, office.main)

    given = do(office, giving.give, member.membership, Wanted(*place, soon), actor=BOSS, now=now)
    prolonged = do(
        office, giving.give, member.membership, Wanted(*place, later), actor=BOSS, now=now
    )
    assert holdings(office.id, member.membership) == {(*place, later)}
    taken = do(office, giving.take, member.membership, place, actor=BOSS, now=now)
    again = do(office, giving.take, member.membership, place, actor=BOSS, now=now)

    assert (given, prolonged, taken, again) == (True, True, True, False)
    assert holdings(office.id, member.membership) == set()


@pytest.mark.product("TEN-6")
def test_a_role_that_ended_is_held_no_more_and_can_be_given_again(office, now):
    member = office.someone()
    yesterday = now - timedelta(days=1)
    making.assign(office.id, member.membership, office.watching, expires_at=yesterday)

    given = do(office, giving.give, member.membership, Wanted(office.watching), actor=BOSS, now=now)

    assert given
    assert holdings(office.id, member.membership) == {(office.watching, None, None)}


@pytest.mark.product("TEN-6")
@pytest.mark.security("15.2")
def test_of_fifty_who_give_a_role_at_once_one_does(identity_app, office, now):
    member = office.someone()
    wanted = Wanted(office.watching, office.main)

    answers = all_at_once(
        identity_app,
        50,
        lambda: do(office, giving.give, member.membership, wanted, actor=BOSS, now=now),
    )

    assert (answers.count(False), answers.count(True)) == (49, 1)
    assert len(holdings(office.id, member.membership)) == 1
