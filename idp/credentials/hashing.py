"""Argon2id, at most one hash a core at a time: what is expensive must not pile up."""

import base64
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type, hash_secret_raw
from flask import current_app

from idp.settings import current_settings
from kernel.errors import Overloaded

TIME_COST = 2
MEMORY_KIB = 19_456
PARALLELISM = 1
_HASH_BYTES = 32
_SALT_BYTES = 16
_LONGEST_WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class Verdict:
    """Whether a password was right, and whether its hash is older than our parameters."""

    matches: bool
    is_outdated: bool = False


class Hashing:
    """Hashes and verifies; whoever waits too long for a turn gets Overloaded.

    Never call it inside a transaction: its time would be everybody's.
    """

    def __init__(self, *, at_once: int, longest_wait: float = _LONGEST_WAIT_SECONDS) -> None:
        self._turns = threading.BoundedSemaphore(at_once)
        self._longest_wait = longest_wait
        self._hasher = PasswordHasher(
            time_cost=TIME_COST,
            memory_cost=MEMORY_KIB,
            parallelism=PARALLELISM,
            hash_len=_HASH_BYTES,
            salt_len=_SALT_BYTES,
        )
        self._nobodys = _nobodys_hash()

    def hash(self, password: str) -> str:
        """Argon2's text for a new password."""
        with self._turn():
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> Verdict:
        """Compare; where there is nothing to compare with, take the same time and say no."""
        with self._turn():
            try:
                self._hasher.verify(stored or self._nobodys, password)
            except (VerificationError, InvalidHashError):
                return Verdict(matches=False)
        if stored is None:
            return Verdict(matches=False)
        return Verdict(matches=True, is_outdated=self._hasher.check_needs_rehash(stored))

    def derive(self, secret: str, salt: bytes) -> bytes:
        """The same hash as raw bytes, under a salt that is given: to look a code up by."""
        with self._turn():
            return hash_secret_raw(
                secret.encode("utf-8", "surrogatepass"),
                salt,
                TIME_COST,
                MEMORY_KIB,
                PARALLELISM,
                _HASH_BYTES,
                Type.ID,
            )

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=self._longest_wait):
            raise Overloaded("too many passwords are being checked")
        try:
            yield
        finally:
            self._turns.release()


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


def _nobodys_hash() -> str:
    """A hash that no password has, with our parameters: it costs what a real one costs."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (_SALT_BYTES, _HASH_BYTES)
    )
    return f"$argon2id$v=19$m={MEMORY_KIB},t={TIME_COST},p={PARALLELISM}${salt}${digest}"
