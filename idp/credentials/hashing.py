"""Argon2id, at most one hash a core at a time: what is expensive must not pile up.

What another system hashed is verified here too, once: then it is hashed anew.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from flask import current_app

from idp.credentials import foreign_hashes
from idp.credentials.foreign_hashes import UnknownHash
from idp.credentials.password import normalised
from idp.settings import current_settings
from kernel.argon2id import Argon2id
from kernel.errors import Overloaded
from kernel.observability.logs import get_logger

TIME_COST = 2
MEMORY_KIB = 19_456
PARALLELISM = 1
OURS_MILLISECONDS = 19
_LONGEST_WAIT_SECONDS = 5.0
_OURS = f"$argon2id$v=19$m={MEMORY_KIB},t={TIME_COST},p={PARALLELISM}$"

log = get_logger(__name__)


@dataclass(frozen=True)
class Verdict:
    """Whether a password was right, and whether its hash is not as we make them today.

    `seconds` is what finding out took, without waiting for a turn; `milliseconds` what it takes
    with nothing else to do, on the machine that `foreign_hashes` was measured on.
    """

    matches: bool
    is_outdated: bool = False
    seconds: float = field(default=0.0, compare=False)
    milliseconds: float = field(default=0.0, compare=False)


class Hashing:
    """Hashes and verifies; whoever waits too long for a turn gets Overloaded.

    Never call it inside a transaction: its time would be everybody's.
    """

    def __init__(self, *, at_once: int, longest_wait: float = _LONGEST_WAIT_SECONDS) -> None:
        self._turns = threading.BoundedSemaphore(at_once)
        self._longest_wait = longest_wait
        self._hasher = Argon2id(time_cost=TIME_COST, memory_kib=MEMORY_KIB)
        self._nobodys = self._hasher.nobodys()

    def hash(self, password: str) -> str:
        """Argon2's text for a new password."""
        with self._turn():
            return self._hasher.hash(password)

    def verify(self, stored: str | None, typed: str) -> Verdict:
        """Compare; where there is nothing to compare with, take the same time and say no.

        A hash of another system takes its own time: `idp.sign_in.pace` evens that out.
        """
        with self._turn():
            began = time.perf_counter()
            verdict = self._compare(stored, typed)
            return replace(verdict, seconds=time.perf_counter() - began)

    def _compare(self, stored: str | None, typed: str) -> Verdict:
        if stored is not None and not is_ours(stored):
            return self._compare_with_foreign(stored, typed)
        matches = self._hasher.verify(stored or self._nobodys, normalised(typed))
        return Verdict(matches and stored is not None, milliseconds=OURS_MILLISECONDS)

    def _compare_with_foreign(self, stored: str, typed: str) -> Verdict:
        try:
            foreign = foreign_hashes.read(stored)
        except UnknownHash as unreadable:
            # Nobody can sign in with it, and the operator should know. The time stays the same.
            log.error("stored_password_unreadable", reason=unreadable.detail)
            return self._compare(None, typed)
        tried = [form.encode("utf-8", "surrogatepass") for form in forms(typed)]
        matches = any(foreign.proves(form) for form in tried)
        return Verdict(matches, is_outdated=matches, milliseconds=foreign.milliseconds * len(tried))

    def derive(self, secret: str, salt: bytes) -> bytes:
        """The same hash as raw bytes, under a salt that is given: to look a code up by."""
        with self._turn():
            return self._hasher.derive(secret.encode("utf-8", "surrogatepass"), salt)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=self._longest_wait):
            raise Overloaded("too many passwords are being checked")
        try:
            yield
        finally:
            self._turns.release()


def is_ours(stored: str) -> bool:
    """Whether a hash is as we make them today."""
    return stored.startswith(_OURS)


def forms(typed: str) -> tuple[str, ...]:
    """What another system may have hashed: the text as we normalise it, or as it was typed.

    >>> len(forms("Zażółć")), len(forms("\\ufb01sh"))
    (1, 2)
    """
    whole = normalised(typed)
    return (whole,) if whole == typed else (whole, typed)


def hashing() -> Hashing:
    """This application's queue for hashes."""
    known: Hashing | None = current_app.extensions.get("klucznik.hashing")
    if known is None:
        # setdefault: two first requests at once still share one queue.
        known = current_app.extensions.setdefault(
            "klucznik.hashing", Hashing(at_once=current_settings().hashes_at_once or _cores())
        )
    return known


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
