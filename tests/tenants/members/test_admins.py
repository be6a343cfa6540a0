from datetime import timedelta

import pytest

from tenants.database import db
from tenants.members.admins import acts_as_admin, has_admin
from tenants.people import service as people
from tests.tenants import making
from tests.tenants.acting import an_office

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-6")]


@pytest.fixture
def office():
    return an_office()


def ask(office, *, besides=None):
    with db.reading(tenant=office.id) as session:
        return has_admin(session, office.id, besides=besides)


def test_an_admin_who_can_act_counts(office):
    admin = office.admin()

    with db.reading(tenant=office.id) as session:
        assert acts_as_admin(session, office.id, admin.membership)
    assert ask(office)
    assert not ask(office, besides=admin.membership)


@pytest.mark.security("12.5")
@pytest.mark.parametrize(
    "changes", [{"state": "blocked"}, {"state": "pending"}, {"accepted_at": None}]
)
def test_who_is_blocked_or_has_not_come_does_not_count(office, changes):
    office.someone(office.account.admin_role, **changes)

    assert not ask(office)


@pytest.mark.security("12.5")
def test_a_role_with_an_end_on_a_company_or_that_is_no_admins_does_not_count(office, now):
    role = office.account.admin_role
    office.someone((role, office.main), office.selling)
    making.assign(office.id, office.someone().membership, role, expires_at=now + timedelta(days=9))

    assert not ask(office)


@pytest.mark.security("12.5")
def test_a_person_who_is_blocked_everywhere_does_not_count(office, now):
    admin = office.admin()
    with db.transaction() as session:
        people.block(session, admin.person, now=now)

    assert not ask(office)


@pytest.mark.security("12.5")
def test_admins_of_others_do_not_count(office):
    other = an_office("Inny").admin()

    with db.reading(tenant=office.id) as session:
        assert not acts_as_admin(session, office.id, other.membership)
    assert not ask(office)
