"""Running other programs, and saying what is going on."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_BIN = VENV / "bin"


class Failed(Exception):
    """A step of the set-up or of a check that cannot go on; says what to do."""


def say(text: str) -> None:
    """Print one line at once, also when the output is a file."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step and, when it is done, how long it took."""
    say(f"· {title}")
    started = time.monotonic()
    yield
    say(f"  {time.monotonic() - started:.1f} s")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment with the project's own programs first."""
    return {
        **os.environ,
        "PATH": f"{VENV_BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(VENV),
        **(extra or {}),
    }


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> None:
    """Run a program in the project's folder; raise `Failed` when it fails.

    A quiet program's output is shown only when it fails.
    """
    words = [str(word) for word in command]
    result = subprocess.run(
        words,
        cwd=ROOT,
        env=environment(env),
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
    )
    if result.returncode:
        if quiet:
            say(result.stdout)
        raise Failed(f"`{' '.join(words)}` ended with {result.returncode}")


def status(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> int:
    """Run a program in the project's folder and return its exit status."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=environment(env),
        check=False,
        stdin=subprocess.DEVNULL,
    ).returncode
