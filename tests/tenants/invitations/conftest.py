"""An office, its admin, and Anna, who has an ID and no place there."""

import pytest

from tests.tenants import making
from tests.tenants.acting import an_office
from tests.tenants.invitations.inviting import NOWAK


@pytest.fixture
def office():
    return an_office()


@pytest.fixture
def admin(office):
    return office.admin()


@pytest.fixture
def anna():
    return making.a_person(NOWAK)
