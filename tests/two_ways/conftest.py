"""The identity program on both ways, and an account."""

from collections.abc import Iterator

import pytest
from flask import Flask

from idp.keys import service as keys
from kernel import clock
from tests import programs
from tests.conftest import MakeDatabase
from tests.idp.provider import API
from tests.tenants.making import Made, an_account, an_application
from tests.two_ways.ways import Ways


@pytest.fixture
def ways(identity_app: Flask) -> Ways:
    keys.ensure_keys(now=clock.now())
    return Ways(identity_app)


@pytest.fixture(scope="module")
def lasting(make_database: MakeDatabase) -> Iterator[Ways]:
    """One program for all the requests that hypothesis thinks up."""
    for app in programs.identity(make_database):
        keys.ensure_keys(now=clock.now())
        yield Ways(app)


@pytest.fixture
def account(ways: Ways) -> Made:
    an_application("crm", audience=API, permissions=("contacts:read",))
    return an_account(applications=["crm"])
