"""Who invited is looked at again, as they are on the day of the acceptance."""

import pytest

from tenants.api_keys import service as api_keys
from tenants.database import db
from tenants.invitations import inviters
from tenants.roles.power import NOTHING, OPERATOR, may
from tests.tenants import making
from tests.tenants.acting import an_office

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.security("3.9", "12.4")]

# Nobody has this id, and nothing.
NOBODY = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
def office():
    return an_office()


def today(office, inviter, now):
    with db.reading(tenant=office.id) as session:
        actor = inviters.today(session, office.id, inviter, now=now)
    assert actor.id == inviter
    return actor.power


def a_key(office, owner, now):
    with db.transaction(tenant=office.id) as session:
        return api_keys.create(
            session,
            office.id,
            name="Sklep",
            permissions=["users:read"],
            actor=owner.actor,
            now=now,
        ).key


def test_a_person_has_what_they_hold_now(office, now):
    admin = office.admin()
    assert today(office, admin.actor.id, now).is_admin

    making.unassign(office.id, admin.membership)
    assert not today(office, admin.actor.id, now).is_admin
    making.remove_member(office.id, admin.membership)
    assert today(office, admin.actor.id, now) == NOTHING


def test_a_key_has_what_it_was_given_and_its_owner_still_holds(office, now):
    admin = office.admin()
    key = a_key(office, admin, now)
    power = today(office, f"key:{key.id}", now)

    (right,) = power.on_account
    assert right.permission == "users:read"
    assert may(power, right)
    making.remove_member(office.id, admin.membership)
    assert today(office, f"key:{key.id}", now) == NOTHING


def test_a_revoked_key_has_nothing(office, now):
    admin = office.admin()
    key = a_key(office, admin, now)
    with db.transaction(tenant=office.id) as session:
        api_keys.revoke(session, office.id, key.id, actor=admin.actor, now=now)

    assert today(office, f"key:{key.id}", now) == NOTHING


def test_the_operator_is_the_operator(office, now):
    assert today(office, "operator", now) == OPERATOR


@pytest.mark.parametrize(
    "inviter", [f"person:{NOBODY}", f"key:{NOBODY}", "client:crm", "operator:x"]
)
def test_anybody_else_has_nothing(office, now, inviter):
    assert today(office, inviter, now) == NOTHING
