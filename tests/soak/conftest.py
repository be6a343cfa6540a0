"""Two nodes of the identity program on one database, for hours if need be.

`KLUCZNIK_TEST_ROUNDS` says how many rounds each race has; `make soak` runs a hundred.
"""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import create_engine, make_url, pool, text

from tests import quick
from tests.conftest import ON_POSTGRESQL
from tests.installation import KLUCZNIK, ROOT, free_ports, installation
from tests.soak.nodes import Nodes

# Some of these look at the time.
quick.switch_off()
ROUNDS = int(os.environ.get("KLUCZNIK_TEST_ROUNDS", "100"))


@pytest.fixture(scope="session")
def rounds() -> int:
    """How often each race is run."""
    return ROUNDS


@pytest.fixture(scope="session")
def databases() -> Iterator[dict[str, str]]:
    """Settings that name three databases; none on SQLite, where files of the home folder do."""
    if not ON_POSTGRESQL:
        yield {}
        return
    superuser = make_url(os.environ["KLUCZNIK_TEST_POSTGRESQL_URL"])
    names = {
        program: f"soak_{program}_{uuid.uuid4().hex[:8]}"
        for program in ("identity", "portal", "crm")
    }
    cluster = create_engine(superuser, poolclass=pool.NullPool, isolation_level="AUTOCOMMIT")
    with cluster.connect() as connection:
        for name in names.values():
            connection.execute(text(f'CREATE DATABASE "{name}"'))
    yield {
        f"KLUCZNIK_{program.upper()}_DATABASE_URL": superuser.set(database=name).render_as_string(
            hide_password=False
        )
        for program, name in names.items()
    }
    with cluster.connect() as connection:
        for name in names.values():
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory, databases: dict[str, str]) -> Iterator[Nodes]:
    """Everything that `klucznik run` starts, and the identity program a second time."""
    home = tmp_path_factory.mktemp("soak")
    with installation(home, settings=databases) as running:
        port = free_ports(1)[0]
        environment = running.environment | {"KLUCZNIK_METRICS_PORT": "0"}
        with (
            (home / "second.log").open("wb") as log,
            subprocess.Popen(
                [*KLUCZNIK, "serve", "identity", "--port", str(port)],
                env=environment,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            ) as second,
        ):
            try:
                made = Nodes(running, (running.identity, f"http://localhost:{port}"))
                made.wait_until_ready()
                yield made
            finally:
                second.terminate()


@pytest.fixture
def figure(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """`figure("…")` prints one, past everything that pytest keeps to itself."""

    def say(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    return say


@pytest.fixture
def timed(request: pytest.FixtureRequest, figure: Callable[[str], None]) -> Iterator[None]:
    """Say how long all rounds took."""
    started = time.monotonic()
    yield
    figure(f"{request.node.name}: {ROUNDS} rounds in {time.monotonic() - started:.0f} s")
