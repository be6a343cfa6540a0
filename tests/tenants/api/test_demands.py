"""What operations demand, in words and for the gate."""

import pytest

import tenants.api.views  # noqa: F401  (it brings all operations)
from tenants.api.callers import Kind
from tenants.api.demands import Where, anywhere, by_itself, on_account, on_company, oneself
from tenants.api.rest import api
from tenants.applications.own import PERMISSIONS
from tenants.applications.rights import Right

LEVELS = {permission.name: permission.level for permission in PERMISSIONS}


def test_a_demand_says_what_it_takes():
    demand = on_company("companies:read")

    assert demand.right == Right("accounts", "companies:read")
    assert demand.schemes == {"person": ("accounts",), "key": ()}
    assert "companies:read on the company or the account" in demand.words
    assert demand.scope_for(Kind.PERSON) == "accounts"
    assert demand.scope_for(Kind.KEY) is None


def test_what_is_about_oneself_demands_no_right():
    assert oneself().right is None
    assert oneself().kinds == {Kind.PERSON}


def test_what_an_application_does_by_itself_demands_its_scope():
    assert by_itself().right is None
    assert by_itself().schemes == {"client": ("provisioning",)}


@pytest.mark.security("12.1")
@pytest.mark.parametrize("operation", api.operations, ids=lambda operation: operation.id)
def test_a_right_over_the_account_is_never_asked_of_a_company_alone(operation):
    demand = operation.demand
    if demand.permission is not None and LEVELS[demand.permission] == "account":
        assert demand.where is Where.ACCOUNT
    if demand.where is Where.COMPANY:
        assert "company" in operation.gaps


def test_kinds_can_be_narrowed():
    assert on_account("api-keys:manage", Kind.PERSON).kinds == {Kind.PERSON}
    assert anywhere("users:read").kinds == {Kind.PERSON, Kind.KEY}
