"""The portal, at a provider that signs everybody in."""

from collections.abc import Iterator

import pytest
from flask import Flask

from tests import programs
from tests.conftest import MakeDatabase
from tests.relying_party.browsers import Browser
from tests.relying_party.strict_provider import StrictProvider


@pytest.fixture
def provider() -> Iterator[StrictProvider]:
    with StrictProvider().serving() as running:
        yield running
    assert running.problems == []


@pytest.fixture
def app(provider: StrictProvider, make_database: MakeDatabase) -> Iterator[Flask]:
    yield from programs.portal(make_database, issuer=provider.issuer)


@pytest.fixture
def browser(app: Flask, provider: StrictProvider) -> Browser:
    """A browser, signed in."""
    browser = Browser(app, provider)
    browser.sign_in()
    return browser
