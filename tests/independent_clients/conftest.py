"""A running installation that other people's programs sign in to."""

from collections.abc import Iterator

import pytest

from tests.installation import Installation, free_ports, installation


@pytest.fixture(scope="session")
def application_port() -> int:
    """Where the application of a test listens; the installation may call it back there."""
    return free_ports(1)[0]


@pytest.fixture(scope="session")
def running(
    tmp_path_factory: pytest.TempPathFactory, application_port: int
) -> Iterator[Installation]:
    """The installation, with its demo people."""
    home = tmp_path_factory.mktemp("installation")
    with installation(home, also_allowed=[f"localhost:{application_port}"]) as made:
        yield made
