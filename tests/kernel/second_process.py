"""The kernel's test application once more, for tests that race several processes and threads."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from flask import Flask

from kernel.settings import Settings
from tests.kernel.tables import db
from tests.programs import SECRETS, forget_power_cuts

Act = Callable[[int], Any]


def database_url() -> str:
    """The address of the database that this test has."""
    return db.engine.url.render_as_string(hide_password=False)


def race(act: Act, *, times: int, processes: int = 2) -> list[Any]:
    """Call `act(number)` so many times at once, in threads of several processes; all answers.

    `act` is a function at the top of a test module: the other processes look it up by name.
    """
    share = times // processes
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes) as pool:
        jobs = [(act, database_url(), share, share * number) for number in range(processes)]
        return [answer for answers in pool.starmap(_run_threads, jobs) for answer in answers]


def an_app(url: str) -> Flask:
    """An application like `kernel_app`, on a database that is there already."""
    app = Flask("kernel")
    app.extensions["klucznik.settings"] = Settings(**SECRETS, metrics_port=0)
    db.attach(app, url, pool_size=8)
    with app.app_context():
        forget_power_cuts(db.engine)
    return app


def _run_threads(act: Act, url: str, threads: int, first: int) -> list[Any]:
    app = an_app(url)
    start = Barrier(threads)

    def run(number: int) -> Any:
        with app.app_context():
            start.wait()
            return act(number)

    with ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(run, range(first, first + threads)))
    with app.app_context():
        db.engine.dispose()
    return answers
