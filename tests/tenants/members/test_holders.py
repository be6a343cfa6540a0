from datetime import timedelta

import pytest

from tenants.applications.rights import Right
from tenants.applications.service import ACCOUNTS
from tenants.database import db
from tenants.members.holders import holders
from tenants.people import service as people
from tests.tenants import making
from tests.tenants.acting import an_office

pytestmark = pytest.mark.usefixtures("identity_app")

MANAGE = Right(ACCOUNTS, "webhooks:manage")


@pytest.fixture
def managing(office):
    """A role with the right."""
    return making.a_role(office.id, "Integracje", rights=[MANAGE])


def who(office, now):
    with db.reading(tenant=office.id) as session:
        return [person.id for person in holders(session, office.id, MANAGE, now=now)]


def test_admins_and_those_with_the_right_hold_it_each_once(office, managing, now):
    admin = office.admin()
    both = office.someone(managing, office.account.admin_role)
    ticked = office.someone(managing)
    office.seller()
    an_office("Inny Dom").admin()

    assert who(office, now) == [admin.person, both.person, ticked.person]


def test_who_can_not_use_it_now_does_not_hold_it(office, managing, now):
    office.someone(managing, state="blocked")
    office.someone(managing, state="pending", accepted_at=None)
    office.someone((managing, office.second))
    office.admin_of(office.second)
    gone = office.someone(managing)
    with db.transaction() as session:
        people.block(session, gone.person, now=now)
    for expires_at in (now, now + timedelta(seconds=1)):
        someone = office.someone()
        making.assign(office.id, someone.membership, managing, expires_at=expires_at)

    assert who(office, now) == [someone.person]
