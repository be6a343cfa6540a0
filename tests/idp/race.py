"""Many at once: the same thing done by many threads that wait for each other at the start."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flask import Flask

from kernel.database import passes_by_itself
from kernel.errors import Overloaded

Answer = TypeVar("Answer")

_TRIES = 20


def all_at_once(app: Flask, times: int, act: Callable[[], Answer]) -> list[Answer | Exception]:
    """The answers, or exceptions, of `times` threads that start together."""
    line = threading.Barrier(times)

    def run(_: int) -> Answer | Exception:
        with app.app_context():
            line.wait(timeout=120)
            return _patiently(act)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def _patiently(act: Callable[[], Answer]) -> Answer | Exception:
    """What comes of it for one who asks again after having waited in vain, as a program does.

    On a slow machine the last of many waits longer than a database lets anybody wait. Two that
    wait for each other are another matter.
    """
    for _ in range(_TRIES):
        try:
            return act()
        except Exception as failure:
            refused = failure
            is_crowded = isinstance(failure, Overloaded) or passes_by_itself(failure)
            if not is_crowded or "deadlock" in str(failure):
                break
    return refused
