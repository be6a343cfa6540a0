"""`make check`: what takes a few minutes and must be true of every commit.

All checks run even when one fails, so that one look shows everything.
`python -m tools.check types imports` runs only these.
"""

import sys
import time
from pathlib import Path

from tools.shell import ROOT, VENV_BIN, say, status

PACKAGES = (
    *("klucznik", "kernel", "tenants", "consent", "idp"),
    *("relying_party", "portal", "crm"),
)
# These start browsers, servers and other people's programs, or try hundreds of examples on a
# whole program: `make test` runs them.
SLOW_TESTS = (
    *("tests/journeys", "tests/independent_clients", "tests/conformance"),
    *("tests/klucznik/test_run.py", "tests/klucznik/test_serve.py"),
    *("tests/fuzz", "tests/properties", "tests/soak"),
)


def packages() -> list[str]:
    """Return the packages of ours that are there."""
    return [name for name in PACKAGES if (ROOT / name).exists()]


def checks() -> list[tuple[str, list[str | Path]]]:
    """Return each check's name and command, the quick ones first."""
    typed = [*packages(), "tools", "tests", "bench", "migrations"]
    return [
        ("lint", [VENV_BIN / "ruff", "check", "--no-cache", "."]),
        ("format", [VENV_BIN / "ruff", "format", "--check", "."]),
        ("templates", [VENV_BIN / "djlint", "--lint", "--quiet", *_templates()]),
        ("imports", [VENV_BIN / "lint-imports", "--no-logo"]),
        ("types", [VENV_BIN / "mypy", *(name for name in typed if (ROOT / name).exists())]),
        ("tests", [VENV_BIN / "pytest", *fast_tests()]),
    ]


def fast_tests() -> list[str]:
    """Return pytest's arguments for the tests that each take a moment."""
    return [
        *("tests", "--doctest-modules", *packages()),
        *("-n", "2", "--dist", "worksteal", "--quiet"),
        *(f"--ignore={folder}" for folder in SLOW_TESTS),
    ]


def _templates() -> list[str]:
    return [f"{name}/templates" for name in packages() if (ROOT / name / "templates").exists()]


def main(wanted: list[str]) -> int:
    """Run every check, or those that are wanted, and name those that failed."""
    failed = []
    for name, command in checks():
        if wanted and name not in wanted:
            continue
        say(f"== {name}")
        started = time.monotonic()
        if status(command, env={"KLUCZNIK_TEST_DATABASE": "sqlite"}):
            failed.append(name)
        say(f"   {time.monotonic() - started:.1f} s\n")
    say(f"make check: {', '.join(failed)} FAILED" if failed else "make check: all is well")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
