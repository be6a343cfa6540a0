from datetime import timedelta

import pytest

from tenants.members import expiry
from tests.idp.race import all_at_once
from tests.tenants import making
from tests.tenants.acting import an_office, facts, holdings, trail

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-6")]


def a_holder(office, *ends):
    member = office.someone()
    for role, end in zip((office.watching, office.editing, office.selling), ends, strict=False):
        making.assign(office.id, member.membership, role, office.main, expires_at=end)
    return member


def test_a_role_whose_time_is_over_goes_and_others_hear_of_it(now):
    office = an_office()
    later = now + timedelta(seconds=1)
    member = a_holder(office, now, None, later)

    ended = expiry.end_over(now=now)

    assert ended == 1
    assert holdings(office.id, member.membership) == {
        (office.editing, office.main, None),
        (office.selling, office.main, later),
    }
    assert trail(office.id) == ["member:roles:expired"]
    assert facts() == [("member.roles_changed", office.id, member.person)]


def test_roles_end_in_every_account_also_in_a_closed_one(now):
    offices = [an_office(), an_office("Inny")]
    for office in offices:
        a_holder(office, now, now)
        a_holder(office, now)
    making.change_account(offices[1].id, status="closed")

    assert (expiry.end_over(now=now), expiry.end_over(now=now)) == (6, 0)
    assert len(facts()) == 4


def test_a_few_end_at_a_time(now):
    a_holder(an_office(), now, now, now)

    assert [expiry.end_over(now=now, batch=2) for _ in range(3)] == [2, 1, 0]


@pytest.mark.security("15.2")
def test_of_fifty_workers_one_ends_a_role(identity_app, now):
    office = an_office()
    a_holder(office, now)

    answers = all_at_once(identity_app, 50, lambda: expiry.end_over(now=now))

    assert (answers.count(0), answers.count(1)) == (49, 1)
    assert len(facts()) == 1
