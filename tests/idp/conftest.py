"""What most tests of the sign-in pages begin with."""

import pytest
from flask import Flask

from tests.idp.visitor import Mailroom, Visitor


@pytest.fixture
def mailroom(identity_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Mailroom:
    """The worker, and the mails that it would have sent."""
    return Mailroom(identity_app, monkeypatch)


@pytest.fixture
def visitor(identity_app: Flask) -> Visitor:
    """A browser that nobody has used before."""
    return Visitor(identity_app)
