"""An application lets nobody in again whom others keep out."""

import pytest

from tenants.members import service as members
from tenants.members.blocks import BlockedByAnother
from tenants.members.rows import State
from tenants.roles.power import Actor, Power, Right
from tests.tenants import making
from tests.tenants.acting import BOSS, CLIENTS, facts, membership, trail
from tests.tenants.members.doing import do

CLIENT = members.MemberKind.CLIENT

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-6", "TEN-15")]


def a_program(office, name="crm"):
    """An application that manages the clients of the account."""
    rights = frozenset(Right(*each) for each in CLIENTS)
    return Actor(f"client:{name}", Power(account=office.id, on_account=rights))


@pytest.fixture
def client(office):
    return making.a_client(office.id)


@pytest.fixture
def act(office, client, now):
    """Do something to the client."""

    def _act(what, actor):
        return do(office, what, client, kind=CLIENT, actor=actor, now=now)

    return _act


def the_others(office):
    admin = office.admin()
    key = Actor("key:0b9c", admin.actor.power)
    return (admin.actor, key, BOSS, a_program(office, "another"))


@pytest.mark.security("12.4")
@pytest.mark.parametrize("number", range(4), ids=["admin", "key", "operator", "another program"])
@pytest.mark.parametrize("what", [members.unblock, members.remove], ids=["unblock", "remove"])
def test_an_application_undoes_no_block_of_others(office, act, client, number, what):
    act(members.block, the_others(office)[number])

    with pytest.raises(BlockedByAnother):
        act(what, a_program(office))

    assert membership(office.id, client).state == State.BLOCKED
    assert trail(office.id) == ["client-account:blocked"]


@pytest.mark.security("12.4")
def test_nor_one_of_whom_nobody_knows_who_set_it(office, act, client):
    making.change_member(office.id, client, state="blocked")

    with pytest.raises(BlockedByAnother):
        act(members.unblock, a_program(office))


def test_an_application_undoes_its_own_block(office, act, client):
    program = a_program(office)

    assert act(members.block, program)
    assert membership(office.id, client).blocked_by == program.id
    assert act(members.unblock, program)

    found = membership(office.id, client)
    assert (found.state, found.blocked_by) == (State.ACTIVE, None)
    act(members.block, program)
    act(members.remove, program)
    assert membership(office.id, client) is None


@pytest.mark.security("12.4")
def test_a_block_that_an_admin_sets_too_is_the_admins(office, act, client):
    program, admin = a_program(office), office.admin().actor

    assert act(members.block, program)
    assert act(members.block, admin)
    assert not act(members.block, admin)
    assert not act(members.block, program)

    assert membership(office.id, client).blocked_by == admin.id
    with pytest.raises(BlockedByAnother):
        act(members.unblock, program)
    assert [kind for kind, _, _ in facts()] == ["client.blocked", "client.blocked"]


def test_people_undo_every_block(office, act, client):
    for actor in (a_program(office), *the_others(office)):
        act(members.block, actor)
        assert act(members.unblock, office.admin().actor)
        assert membership(office.id, client).blocked_by is None
    act(members.block, a_program(office))
    act(members.remove, office.admin().actor)
    assert membership(office.id, client) is None
