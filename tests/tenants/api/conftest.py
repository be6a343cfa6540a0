"""The API, and a program that speaks with it."""

import pytest
from flask import Flask

from tests.tenants.api.speaking import World, a_world


@pytest.fixture
def world(identity_app: Flask) -> World:
    """The API with its permissions declared."""
    return a_world(identity_app)
