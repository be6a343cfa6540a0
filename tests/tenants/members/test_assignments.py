from datetime import timedelta

import pytest

from kernel.ids import new_id
from tenants.accounts.details import NotValid
from tenants.database import db
from tenants.members.assignments import MOST, Held, Wanted, difference, held_by, write
from tests.tenants import making
from tests.tenants.acting import an_office, holdings
from tests.tenants.making import LONG_AGO

ROLE, OTHER = new_id(), new_id()
HERE, THERE = "a" * 16, "b" * 16


def held(role=ROLE, company=None, expires_at=None) -> Held:
    return Held(new_id(), role, "Sprzedaż", False, company, False, expires_at)


@pytest.mark.product("TEN-6")
def test_what_is_missing_is_given_and_what_is_not_wanted_taken(now):
    change = difference([held(), held(company=HERE)], [Wanted(ROLE), Wanted(OTHER, THERE)], now=now)

    assert change.given == (Wanted(OTHER, THERE),)
    assert change.taken == (Wanted(ROLE, HERE),)
    assert change.prolonged == ()


@pytest.mark.product("TEN-6")
@pytest.mark.parametrize(("before", "after"), [(None, 1), (1, None), (1, 2)])
def test_another_end_is_a_change(now, before, after):
    moments = {None: None, 1: now + timedelta(days=1), 2: now + timedelta(days=2)}

    change = difference(
        [held(expires_at=moments[before])], [Wanted(ROLE, None, moments[after])], now=now
    )

    assert change.prolonged == (Wanted(ROLE, None, moments[after]),)
    assert (change.given, change.taken) == ((), ())


def test_the_same_is_no_change(now):
    assert not difference([held(), held(company=HERE)], [Wanted(ROLE, HERE), Wanted(ROLE)], now=now)


@pytest.mark.parametrize(
    "wanted",
    [
        [Wanted(ROLE), Wanted(ROLE)],
        [Wanted(ROLE, HERE), Wanted(ROLE, HERE, LONG_AGO + timedelta(days=999))],
        [Wanted(ROLE, None, LONG_AGO)],
        [Wanted(ROLE, f"{number:016x}") for number in range(MOST + 1)],
    ],
)
def test_what_nobody_can_hold_is_refused(now, wanted):
    with pytest.raises(NotValid):
        difference([], wanted, now=now)


@pytest.mark.usefixtures("identity_app")
def test_what_is_held_is_listed_with_its_place_until_it_ends(now):
    office = an_office()
    member = office.someone((office.watching, office.second), office.editing).membership
    making.assign(office.id, member, office.selling, expires_at=now)
    making.change_company(office.id, office.second, archived_at=now)

    with db.reading(tenant=office.id) as session:
        found = held_by(session, office.id, [member], now=now)[member]

    assert [(one.role_name, one.company, one.company_is_archived) for one in found] == [
        ("Edycja", None, False),
        ("Podgląd", office.second, True),
    ]


@pytest.mark.usefixtures("identity_app")
def test_one_that_ended_makes_room_for_a_new_one(now):
    office = an_office()
    member = office.someone().membership
    making.assign(office.id, member, office.watching, office.main, expires_at=now)
    wanted = [Wanted(office.watching, office.main)]

    with db.transaction(tenant=office.id) as session:
        write(
            session, office.id, member, difference([], wanted, now=now), actor="operator", now=now
        )

    assert holdings(office.id, member) == {(office.watching, office.main, None)}
