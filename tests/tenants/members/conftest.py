"""An office for the tests of its members."""

import pytest

from tests.tenants.acting import an_office


@pytest.fixture
def office(identity_app):
    return an_office()
