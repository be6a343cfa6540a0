from pathlib import Path

import pytest
from flask import Flask

from tests.once import is_the_same_everywhere

HERE = Path(__file__).parent


def test_what_has_no_database_is_the_same_everywhere(request: pytest.FixtureRequest):
    assert is_the_same_everywhere(request.node)


def test_what_has_one_is_not(request: pytest.FixtureRequest, kernel_app: Flask):
    assert not is_the_same_everywhere(request.node)


def test_a_module_that_speaks_of_one_is_not(request: pytest.FixtureRequest, monkeypatch):
    monkeypatch.setattr(request.node, "path", HERE / "kernel/database/test_connections.py")

    assert not is_the_same_everywhere(request.node)
