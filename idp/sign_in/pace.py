"""How long a wrong password takes: as long as with the dearest hash that anybody still has.

A hash from another system is verified faster or more slowly than ours, and the time would tell who
came from there, so who has an ID. While there is such a hash, every wrong answer to a stranger
waits until the same moment, whoever it was about; when the last one is gone, nobody waits.

A waiting answer holds a thread of the server. So once half of the threads wait, no more tries than
that are let in at once until it is quiet again, and the others are sent away with 503 before their
password is looked at. This depends on how many there are, never on whom they are about.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from flask import current_app

from idp.credentials import foreign_hashes
from idp.credentials.hashing import OURS_MILLISECONDS, Verdict, forms
from idp.settings import current_settings
from kernel.errors import Overloaded

_MARGIN = 1.5
_LONGEST_SECONDS = 5.0
_GUARDED_SECONDS = 10.0
# Long texts make SHA-crypt slower, and nothing else; this many bytes double it.
_DOUBLING_BYTES = 200
_SLOWEST = 4.0
# How many of the last tries say how busy the machine is.
_REMEMBERED = 64
# One of each kind, cheap, and of nobody's password.
_SAMPLES = (
    "$2b$05$" + "." * 53,
    "$pbkdf2-sha256$20000$c2FsdHNhbHQ$" + "A" * 43,
    "$pbkdf2-sha512$10000$c2FsdHNhbHQ$" + "A" * 86,
    "$scrypt$ln=12,r=8,p=1$c2FsdHNhbHQ$" + "A" * 43,
    "$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43,
    "$5$rounds=5000$saltsalt$" + "." * 43,
    "$6$rounds=5000$saltsalt$" + "." * 86,
)


class Pace:
    """Makes wrong answers take the same time, without letting them take all threads."""

    def __init__(
        self,
        *,
        threads: int,
        slowness: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._most = max(1, threads // 2)
        self._slowness = slowness
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = threading.Lock()
        self._trying = 0
        self._waiting = 0
        self._guarded_until = float("-inf")
        self._known_slowness: float | None = None
        self._loads = deque([0.0], maxlen=_REMEMBERED)

    @contextmanager
    def attempt(self, dearest: int | None) -> Iterator[Callable[[str, Verdict], None]]:
        """For one try: gives `wait(typed, verdict)` for a wrong one; raises Overloaded.

        `dearest` is what the dearest foreign hash costs; None where there is none, and no waiting.
        """
        if dearest is None:
            yield lambda typed, verdict: None
            return
        with self._lock:
            if self._monotonic() < self._guarded_until and self._trying >= self._most:
                raise Overloaded("too many wrong passwords at once")
            self._trying += 1
        try:
            yield partial(self._wait, dearest)
        finally:
            with self._lock:
                self._trying -= 1

    def seconds(self, dearest: int, typed: str, verdict: Verdict) -> float:
        """How long a wrong answer takes, from the moment at which verifying began.

        What was typed counts as far as it makes verifying longer; whose password it would be does
        not. Where the machine is busy, everybody waits in proportion: this try says how busy it
        is, and the tries before it.
        """
        slowness = self._measured()
        with self._lock:
            # What is cheap is measured too coarsely to say anything.
            expected = max(verdict.milliseconds, OURS_MILLISECONDS) / 1000 * slowness
            self._loads.append(verdict.seconds / expected)
            load = max(1.0, *self._loads)
        milliseconds = max(dearest, OURS_MILLISECONDS) * len(forms(typed))
        longer = 1 + len(typed.encode("utf-8", "surrogatepass")) / _DOUBLING_BYTES
        return min(_LONGEST_SECONDS, milliseconds / 1000 * longer * slowness * load * _MARGIN)

    def _wait(self, dearest: int, typed: str, verdict: Verdict) -> None:
        seconds = self.seconds(dearest, typed, verdict)
        with self._lock:
            self._waiting += 1
            if self._waiting >= self._most:
                self._guarded_until = self._monotonic() + _GUARDED_SECONDS
        try:
            self._sleep(max(0.0, seconds - verdict.seconds))
        finally:
            with self._lock:
                self._waiting -= 1

    def _measured(self) -> float:
        known = self._known_slowness
        if known is None:
            known = self._known_slowness = self._slowness()
        return known


def pace() -> Pace:
    """This application's pace."""
    known: Pace | None = current_app.extensions.get("klucznik.pace")
    if known is None:
        known = current_app.extensions.setdefault(
            "klucznik.pace", Pace(threads=current_settings().threads, slowness=slowness)
        )
    return known


def slowness(cpu_time: Callable[[], float] = time.thread_time) -> float:
    """How many times slower this machine is than the one that costs were measured on; 1 to 4."""
    ratios = []
    for sample in _SAMPLES:
        foreign = foreign_hashes.read(sample)
        took = []
        for _ in range(3):
            began = cpu_time()
            foreign.proves(b"whatever")
            took.append(cpu_time() - began)
        ratios.append(min(took) * 1000 / foreign.milliseconds)
    return min(_SLOWEST, max(1.0, *ratios))
