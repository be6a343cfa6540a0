"""An API key is believed for what its owner may do, now."""

from datetime import timedelta
from uuid import UUID

import pytest

from idp.api_access import keys
from kernel.api.problems import BadCredentials
from tenants.api.callers import Kind
from tenants.api_keys import service as api_keys
from tenants.api_keys.text import make
from tenants.database import db
from tenants.roles.power import Right, may
from tests.tenants import making
from tests.tenants.acting import an_office

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-10")]
A_DAY = timedelta(days=1)
SEE_USERS, MANAGE_USERS = (Right("accounts", f"users:{each}") for each in ("read", "manage"))


@pytest.fixture
def office():
    return an_office()


def a_key(office, owner, now, *permissions):
    with db.transaction(tenant=office.id) as session:
        return api_keys.create(
            session, office.id, name="Sklep", permissions=permissions, actor=owner.actor, now=now
        ).text


@pytest.mark.security("12.7")
def test_a_key_has_its_permissions_and_not_its_owners(office, now):
    caller = keys.authenticate(a_key(office, office.admin(), now, "users:read"), now=now)

    assert (caller.kind, caller.account) == (Kind.KEY, office.id)
    assert may(caller.actor.power, SEE_USERS)
    assert not may(caller.actor.power, MANAGE_USERS)
    assert not caller.actor.power.is_admin


@pytest.mark.security("12.7", "12.6")
def test_what_the_owner_loses_the_key_loses_with_it(office, now):
    owner = office.someone(office.selling, office.account.admin_role)
    key = a_key(office, owner, now, "users:read", "audit:read")

    making.unassign(office.id, owner.membership)
    making.assign(office.id, owner.membership, office.selling)

    power = keys.authenticate(key, now=now).actor.power
    assert may(power, SEE_USERS)
    assert not may(power, Right("accounts", "audit:read"))


@pytest.mark.parametrize("gone", ["blocked", "removed"])
def test_a_key_of_somebody_who_is_gone_is_no_good(office, now, gone):
    owner = office.admin()
    key = a_key(office, owner, now, "users:read")
    if gone == "blocked":
        making.change_member(office.id, owner.membership, state="blocked")
    else:
        making.remove_member(office.id, owner.membership)

    with pytest.raises(BadCredentials):
        keys.authenticate(key, now=now)


@pytest.mark.security("12.7")
def test_a_key_of_somebody_who_left_stays_dead_when_they_are_back(office, now):
    owner = office.admin()
    key = a_key(office, owner, now, "users:read")
    before = keys.authenticate(key, now=now)
    making.remove_member(office.id, owner.membership)
    making.a_member(
        office.id, owner.person, roles=[office.account.admin_role], created_at=now + A_DAY
    )

    with pytest.raises(BadCredentials):
        keys.authenticate(key, now=now + A_DAY)
    with db.reading(tenant=office.id) as session:
        key_id = UUID(before.actor.id.removeprefix("key:"))
        assert api_keys.holder_of(session, office.id, key_id, now=now + A_DAY) is None
    fresh = a_key(office, owner, now + A_DAY, "users:read")
    assert keys.authenticate(fresh, now=now + A_DAY).account == office.id


def test_what_is_no_key_is_left_to_others_and_an_unknown_one_refused(office, now):
    assert keys.authenticate("a.b.c", now=now) is None
    with pytest.raises(BadCredentials):
        keys.authenticate(str(make(office.id)), now=now)
    with pytest.raises(BadCredentials):
        keys.authenticate("kl_", now=now)


def test_its_use_is_noted(office, now):
    owner = office.admin()
    keys.authenticate(a_key(office, owner, now, "users:read"), now=now)

    with db.reading(tenant=office.id) as session:
        (key,) = api_keys.listed(session, office.id, actor=owner.actor)
    assert key.last_used_at == now
