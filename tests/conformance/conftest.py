"""One running provider for the whole walk through OIDC.md, and somebody who is signed in."""

from collections.abc import Iterator

import pytest

from idp.clients import service as clients
from tests.conformance.application import Application
from tests.conformance.provider import Guest, Person, Provider, running
from tests.programs import MakeDatabase


@pytest.fixture(scope="session")
def provider(make_database: MakeDatabase) -> Iterator[Provider]:
    with running(make_database) as found:
        yield found


@pytest.fixture(scope="session")
def application(provider: Provider) -> Application:
    """A confidential one with a secret, profile `standard`."""
    return provider.application()


@pytest.fixture(scope="session")
def legacy(provider: Provider) -> Application:
    """One that knows no PKCE."""
    return provider.application(profile="legacy")


@pytest.fixture(scope="session")
def keyed(provider: Provider) -> Application:
    """One that proves itself with a key."""
    return provider.application(token_endpoint_auth_method=clients.PRIVATE_KEY_JWT)


@pytest.fixture(scope="session")
def anna(provider: Provider) -> Person:
    """Somebody who tells everything that a profile can hold."""
    return provider.person(
        given_name="Anna", family_name="Łąka", phone="+48601234567", zoneinfo="Europe/Warsaw"
    )


@pytest.fixture(scope="session")
def guest(provider: Provider, application: Application, anna: Person) -> Guest:
    """Anna's browser: signed in, and all consent given. Tests must not sign it out."""
    guest = Guest(provider, anna)
    everything = "openid profile email phone offline_access"
    guest.goes_to(application.url(scope=everything))
    return guest


@pytest.fixture
def newcomer(provider: Provider) -> Guest:
    """Somebody else, in a browser of their own, who has not signed in yet."""
    return Guest(provider, provider.person())
