"""Whoever may not is refused twice: by the gate, and by what the operation itself asks before it acts."""

from collections.abc import Iterator

import pytest

from kernel.errors import NotFound
from tenants.api.gate import Gate
from tenants.applications.own import PERMISSIONS
from tenants.roles.power import NOTHING
from tests.conftest import MakeDatabase
from tests.isolation.estate import Estate, an_estate
from tests.isolation.lasting import lasting
from tests.isolation.requests import OPERATIONS, Described
from tests.isolation.test_api import prepared_body
from tests.tenants import making
from tests.tenants.api.speaking import Speaker, World, a_world

pytestmark = [pytest.mark.security("12.1", "12.2", "20.4"), pytest.mark.product("TEN-16")]

NAMES = [permission.name for permission in PERMISSIONS]
BY_PERMISSION = [one for one in OPERATIONS if one.permission is not None]
ON_A_COMPANY = [one for one in BY_PERMISSION if "company" in one.gaps]


@pytest.fixture(scope="module")
def world(make_database: MakeDatabase) -> Iterator[World]:
    for app in lasting(make_database):
        yield a_world(app)


@pytest.fixture
def estate(world: World) -> Estate:
    return an_estate(world)


@pytest.fixture
def gate_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate asks only whether somebody is at home in the account, and for no permission."""

    def admit(self, account, caller, demand, place):
        if caller.actor.power_in(account) == NOTHING:
            raise NotFound("no power in this account")

    monkeypatch.setattr(Gate, "_admit_in", admit)


def by_name(operation: Described) -> str:
    return operation.id


def _is_refused(speaker: Speaker, estate: Estate, operation: Described) -> None:
    body, before = prepared_body(estate, operation), estate.digest()

    answer = operation.send(speaker, estate.slots, body=body)

    assert answer.status_code in {403, 404}, answer.get_data(as_text=True)
    assert estate.canary not in answer.get_data(as_text=True)
    assert estate.digest() == before


@pytest.mark.usefixtures("gate_open")
@pytest.mark.parametrize("operation", BY_PERMISSION, ids=by_name)
def test_without_the_gate_a_member_without_a_role_is_refused_too(world, estate, operation):
    _is_refused(world.member(estate.account), estate, operation)


@pytest.mark.usefixtures("gate_open")
@pytest.mark.parametrize("operation", BY_PERMISSION, ids=by_name)
def test_without_the_gate_all_other_permissions_together_are_not_enough_too(
    world, estate, operation
):
    others = [name for name in NAMES if name != operation.permission]

    _is_refused(world.member(estate.account, *others), estate, operation)


@pytest.mark.usefixtures("gate_open")
@pytest.mark.parametrize("operation", ON_A_COMPANY, ids=by_name)
def test_without_the_gate_the_admin_of_another_company_is_refused_too(world, estate, operation):
    person_id = making.a_person()
    held = [(estate.account.admin_role, estate.account.main_company)]
    making.a_member(estate.account.id, person_id, roles=held)

    _is_refused(world.speaker(person_id, estate.account.id), estate, operation)
