"""`make test`: every test, first on SQLite, then on PostgreSQL. `make soak`: the long ones.

What is missing on the machine is installed from Debian where that is allowed, else
named. Journeys, independent clients and whole installations run once: they test
several programs together, on SQLite whatever is chosen here, and what differs
between the databases is tested beside the code.
"""

import signal
import sys
import time

from tools.check import packages
from tools.debian import provide
from tools.postgresql import throw_away_server
from tools.shell import ROOT, VENV_BIN, Failed, say, status

TESTED_ONCE = (
    "tests/journeys",
    "tests/independent_clients",
    "tests/klucznik/test_run.py",
    "tests/klucznik/test_serve.py",
)
SOAK = "tests/soak"
# What is tried there with examples that are always the same, the soak tries with new ones.
EXPLORED = ("tests/fuzz", "tests/properties")
NOTHING_COLLECTED = 5


def main(words: list[str]) -> int:
    """Run the tests that the words choose, all of them without any."""
    soak = "--soak" in words
    chosen = [word for word in words if word != "--soak"]
    # A terminated run still stops its server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        provide()
        with throw_away_server() as url:
            return _run_on_both(chosen, url=url, soak=soak)
    except Failed as failure:
        say(f"The tests cannot run: {failure}")
        return 1


def _everything(*, soak: bool) -> list[str]:
    return [SOAK, *EXPLORED] if soak else ["tests", "--doctest-modules", *packages()]


def _run_on_both(chosen: list[str], *, url: str, soak: bool) -> int:
    wanted = chosen or _everything(soak=soak)
    results: dict[str, int] = {}
    for database in ("sqlite", "postgresql"):
        say(f"\n== Tests on {'SQLite' if database == 'sqlite' else 'PostgreSQL'}")
        started, again = time.monotonic(), bool(results)
        results[database] = status(
            [VENV_BIN / "pytest", *wanted, *_options(database, soak=soak)],
            env={
                "KLUCZNIK_TEST_DATABASE": database,
                "KLUCZNIK_TEST_POSTGRESQL_URL": url,
                **({"KLUCZNIK_TEST_EXPLORING": "yes"} if soak else {}),
                # What needs no database is tested with SQLite's half (`tests.once`).
                **({"KLUCZNIK_TEST_AGAIN": "yes"} if again and not chosen and not soak else {}),
            },
        )
        say(f"   {time.monotonic() - started:.0f} s")
    return _verdict("make soak" if soak else "make test", results)


def _options(database: str, *, soak: bool) -> list[str]:
    if soak:
        # Their figures are printed, and they need the machine for themselves.
        return ["-n", "0"]
    left_out = [SOAK, *(TESTED_ONCE if database == "postgresql" else ())]
    # Half of the tests each, so that what many of them share is mostly started once; who has
    # finished takes over what the other has left.
    workers = ["-n", "2", "--dist", "worksteal"]
    return [*workers, *(f"--ignore={folder}" for folder in left_out if (ROOT / folder).exists())]


def _verdict(word: str, results: dict[str, int]) -> int:
    failed = [name for name, code in results.items() if code not in {0, NOTHING_COLLECTED}]
    nothing = all(code == NOTHING_COLLECTED for code in results.values())
    if nothing:
        say(f"{word}: no test was found")
    elif failed:
        say(f"{word}: FAILED on {', '.join(failed)}")
    else:
        say(f"{word}: all passed, on SQLite and PostgreSQL")
    return 1 if failed or nothing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
