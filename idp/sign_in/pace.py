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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from flask import current_app

from idp.credentials import foreign_hashes
from idp.credentials.hashing import forms
from idp.settings import current_settings
from kernel.errors import Overloaded

# Of our own hash, on the machine that `foreign_hashes` was measured on.
_OURS_MILLISECONDS = 19
_MARGIN = 1.5
_LONGEST_SECONDS = 5.0
_GUARDED_SECONDS = 10.0
# Long texts make SHA-crypt slower, and nothing else; this many bytes double it.
_DOUBLING_BYTES = 200
_SLOWEST = 4.0
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

    def seconds(self, dearest: int | None, typed: str) -> float:
        """How long a wrong answer to this text takes; 0 where all hashes are ours.

        `dearest` is what the dearest foreign hash costs. What was typed counts as far as it makes
        verifying longer; whose password it would be does not.
        """
        if dearest is None:
            return 0.0
        milliseconds = max(dearest, _OURS_MILLISECONDS) * len(forms(typed))
        longer = 1 + len(typed.encode("utf-8", "surrogatepass")) / _DOUBLING_BYTES
        return min(_LONGEST_SECONDS, milliseconds / 1000 * longer * _MARGIN * self._measured())

    @contextmanager
    def attempt(self, seconds: float) -> Iterator[Callable[[float], None]]:
        """For one try: gives `wait(spent)`, which lasts what is left; raises Overloaded."""
        if not seconds:
            yield lambda spent: None
            return
        with self._lock:
            if self._monotonic() < self._guarded_until and self._trying >= self._most:
                raise Overloaded("too many wrong passwords at once")
            self._trying += 1
        try:
            yield partial(self._wait, seconds)
        finally:
            with self._lock:
                self._trying -= 1

    def _wait(self, seconds: float, spent: float) -> None:
        with self._lock:
            self._waiting += 1
            if self._waiting >= self._most:
                self._guarded_until = self._monotonic() + _GUARDED_SECONDS
        try:
            self._sleep(max(0.0, seconds - spent))
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
