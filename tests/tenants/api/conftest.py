"""The API, a program that speaks with it, and an account with an admin."""

import pytest
from flask import Flask

from tests.tenants import making
from tests.tenants.api.speaking import Speaker, World, a_world
from tests.tenants.making import Made


@pytest.fixture
def world(identity_app: Flask) -> World:
    """The API with its permissions declared."""
    return a_world(identity_app)


@pytest.fixture
def account(world: World) -> Made:
    return making.an_account("Zielony Dom")


@pytest.fixture
def admin(world: World, account: Made) -> Speaker:
    """A program of an admin of the account."""
    return world.admin(account)
