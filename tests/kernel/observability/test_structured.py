import subprocess
import sys

import pytest

from tests.installation import ROOT

LOADED = (
    "import sys\nimport klucznik.serve, idp.fast_path, idp.worker\n"
    "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
)


@pytest.fixture(scope="module")
def loaded():
    """What a serving process has loaded."""
    said = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(said.stdout.split())


def test_a_served_program_logs_without_a_library_for_consoles(loaded):
    assert "structlog" in loaded
    assert loaded.isdisjoint({"rich", "pygments"})


def test_what_a_request_seldom_needs_is_not_loaded_at_the_start(loaded):
    assert loaded.isdisjoint({"alembic", "mako", "webauthn", "psycopg", "playwright", "pytest"})


def test_commands_still_write_to_consoles():
    script = (
        "import kernel.observability.logs, kernel.command_line, sys; print('rich' in sys.modules)"
    )

    said = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == "True"
