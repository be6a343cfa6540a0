"""Many at once: the same thing done by many threads that wait for each other at the start."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flask import Flask

Answer = TypeVar("Answer")


def all_at_once(app: Flask, times: int, act: Callable[[], Answer]) -> list[Answer | Exception]:
    """The answers, or exceptions, of `times` threads that start together."""
    line = threading.Barrier(times)

    def run(_: int) -> Answer | Exception:
        with app.app_context():
            line.wait(timeout=20)
            try:
                return act()
            except Exception as refused:
                return refused

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))
