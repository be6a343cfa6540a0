"""An account that listens, and the program that it listens with."""

import pytest

from tenants.webhooks import sending
from tests.tenants.webhooks.making import Listening, Receiver


@pytest.fixture
def receiver(monkeypatch):
    receiver = Receiver()
    monkeypatch.setattr(sending, "_outgoing", lambda: receiver)
    return receiver


@pytest.fixture
def account(identity_app, now):
    return Listening(identity_app, now)
