"""An application at a provider that can be made to misbehave."""

from collections.abc import Iterator

import pytest
from flask import Flask

from relying_party.install import RelyingParty, relying_party_of
from tests import programs
from tests.conftest import MakeDatabase
from tests.relying_party.browsers import Browser
from tests.relying_party.strict_provider import StrictProvider


@pytest.fixture
def provider() -> Iterator[StrictProvider]:
    """A running provider; at the end it must have had nothing to complain of."""
    with StrictProvider().serving() as running:
        yield running
    assert running.problems == []


@pytest.fixture
def app(provider: StrictProvider, make_database: MakeDatabase) -> Iterator[Flask]:
    """The portal, as a client of this provider."""
    yield from programs.portal(make_database, issuer=provider.issuer)


@pytest.fixture
def party(app: Flask) -> RelyingParty:
    """The services of that application."""
    return relying_party_of(app)


@pytest.fixture
def browser(app: Flask, provider: StrictProvider) -> Browser:
    """A browser without a single cookie."""
    return Browser(app, provider)
