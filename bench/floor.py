"""The floor: what the server and the password hash can do with nothing of ours in between."""

import os
import sys
import time
from collections.abc import Callable, Iterable

from argon2 import PasswordHasher
from granian import Granian
from granian.constants import HTTPModes, Interfaces, RuntimeModes
from granian.log import LogLevels

THREADS = 8


def bare(_environ: dict[str, object], start_response: Callable[..., object]) -> Iterable[bytes]:
    """The smallest WSGI answer."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


def serve(port: int) -> None:
    """Serve `bare` as `klucznik serve` serves a program."""
    Granian(
        "bare",
        port=port,
        interface=Interfaces.WSGI,
        runtime_mode=RuntimeModes.mt,
        http=HTTPModes.http1,
        blocking_threads=THREADS,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve(target_loader=lambda: bare, wrap_loader=False)


def argon2_cpu_seconds(core: set[int], *, times: int) -> float:
    """CPU time of one verification with the parameters of the product, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, core)
    try:
        hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        stored = hasher.hash("a password of usual length")
        started = time.process_time()
        for _ in range(times):
            hasher.verify(stored, "a password of usual length")
        return (time.process_time() - started) / times
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
