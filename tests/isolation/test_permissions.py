"""Every operation of the API takes just the permission that it declares: with it, and not without it."""

from collections.abc import Iterator

import pytest

from tenants.applications.own import PERMISSIONS
from tests.conftest import MakeDatabase
from tests.isolation import declared
from tests.isolation.estate import Estate, an_estate
from tests.isolation.lasting import lasting
from tests.isolation.requests import OPERATIONS, Described
from tests.tenants.api.speaking import Speaker, World, a_world

pytestmark = [pytest.mark.security("20.4", "12.1"), pytest.mark.product("TEN-16")]

LEVELS = {permission.name: permission.level for permission in PERMISSIONS}
BY_PERMISSION = [one for one in OPERATIONS if one.permission is not None]


@pytest.fixture(scope="module")
def world(make_database: MakeDatabase) -> Iterator[World]:
    for app in lasting(make_database):
        yield a_world(app)


@pytest.fixture
def estate(world: World) -> Estate:
    return an_estate(world)


def by_name(operation: Described) -> str:
    return operation.id


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_name)
def test_an_operation_demands_what_its_address_calls_for(operation):
    assert operation.permission == declared.permission_of(operation)
    assert operation.taken == declared.taken_by(operation)


def test_every_permission_that_an_operation_names_is_declared_and_every_declared_one_used():
    assert {one.permission for one in BY_PERMISSION} == set(LEVELS)


@pytest.mark.parametrize("operation", BY_PERMISSION, ids=by_name)
def test_all_other_permissions_together_are_not_enough(world, estate, operation):
    others = [name for name in LEVELS if name != operation.permission]
    clerk = world.member(estate.account, *others)
    before = estate.digest()

    answer = operation.send(clerk, estate.slots)

    assert answer.status_code == 403, answer.get_data(as_text=True)
    assert answer.json["code"] == "permission_missing"
    assert estate.digest() == before


@pytest.mark.security("12.2")
@pytest.mark.parametrize("operation", BY_PERMISSION, ids=by_name)
def test_power_over_one_company_reaches_no_other(world, estate, operation):
    """The whole set of permissions, on the main company alone."""
    clerk = world.member(estate.account, *LEVELS, company=estate.account.main_company)

    _reaches_no_other_company(clerk, estate, operation)


@pytest.mark.product("OP-3")
@pytest.mark.security("12.2", "13.1")
@pytest.mark.parametrize("operation", BY_PERMISSION, ids=by_name)
def test_a_token_for_one_company_reaches_no_other(world, estate, operation):
    """An admin of the whole account, in the context of the main company."""
    admin = world.admin(estate.account, company=estate.account.main_company)

    _reaches_no_other_company(admin, estate, operation)


def _reaches_no_other_company(speaker: Speaker, estate: Estate, operation: Described) -> None:
    before = estate.digest()

    answer = operation.send(speaker, estate.slots)

    if answer.status_code < 300:
        assert operation.method == "GET"
        assert "company" not in operation.gaps
        assert estate.slots["company"] not in answer.get_data(as_text=True)
        assert estate.slots["user"] not in answer.get_data(as_text=True)
    else:
        assert answer.status_code in {403, 404}, answer.get_data(as_text=True)
    assert estate.digest() == before
