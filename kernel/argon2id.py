"""Argon2id in blocks of memory that are used again.

A hash needs a block of many megabytes. Taken from the heap for each hash and given back, it leaves
gaps there that other things settle in, and the next hash makes the heap grow. So blocks stand beside
the heap, one for each hash that runs at the same time, and stay. The library empties a block before
it gives it back.
"""

import base64
import binascii
import hmac
import mmap
import secrets
from collections import deque
from contextlib import suppress
from typing import Any

from _argon2_cffi_bindings import ffi, lib
from argon2.exceptions import HashingError
from argon2.low_level import ARGON2_VERSION, Type, core, error_to_str

_KIB = 1024
_SHORTEST_SALT, _SHORTEST_DIGEST = 8, 4  # what the library takes


class Argon2id:
    """Hashes with one set of parameters, in Argon2's usual text form."""

    def __init__(
        self, *, time_cost: int, memory_kib: int, salt_bytes: int = 16, hash_bytes: int = 32
    ) -> None:
        self.beginning = f"$argon2id$v={ARGON2_VERSION}$m={memory_kib},t={time_cost},p=1$"
        """Every text that `hash` makes begins so."""
        self._time_cost = time_cost
        self._memory_kib = memory_kib
        self._salt_bytes = salt_bytes
        self._hash_bytes = hash_bytes
        self._blocks: deque[_Block] = deque()

    def hash(self, password: str) -> str:
        """The text to keep of a new password."""
        salt = secrets.token_bytes(self._salt_bytes)
        return self._text(salt, self.derive(password.encode(), salt))

    def verify(self, stored: str, password: str) -> bool:
        """Whether a text with these parameters was made of this password."""
        parts = _read(stored.removeprefix(self.beginning))
        if parts is None or not stored.startswith(self.beginning):
            return False
        salt, digest = parts
        return hmac.compare_digest(self.derive(password.encode(), salt, len(digest)), digest)

    def nobodys(self) -> str:
        """A text that no password has: to verify against it costs what it always costs."""
        salt, digest = map(secrets.token_bytes, (self._salt_bytes, self._hash_bytes))
        return self._text(salt, digest)

    def derive(self, secret: bytes, salt: bytes, length: int | None = None) -> bytes:
        """The hash of a secret under this salt, as bytes."""
        try:
            block = self._blocks.pop()
        except IndexError:
            block = _Block(self._memory_kib * _KIB)
        try:
            return self._fill(block, secret, salt, length or self._hash_bytes)
        finally:
            self._blocks.append(block)

    def _fill(self, block: "_Block", secret: bytes, salt: bytes, length: int) -> bytes:
        # Argon2 is given addresses only: the names here keep alive what stands there.
        out, typed, salted = (ffi.new("uint8_t[]", given) for given in (length, secret, salt))
        context = ffi.new(
            "argon2_context *",
            {
                "out": out,
                "outlen": length,
                "pwd": typed,
                "pwdlen": len(secret),
                "salt": salted,
                "saltlen": len(salt),
                "t_cost": self._time_cost,
                "m_cost": self._memory_kib,
                "lanes": 1,
                "threads": 1,
                "version": ARGON2_VERSION,
                "allocate_cbk": block.give,
                "free_cbk": block.take_back,
                "flags": lib.ARGON2_DEFAULT_FLAGS,
            },
        )
        failure = core(context, Type.ID.value)
        if failure != lib.ARGON2_OK:
            raise HashingError(error_to_str(failure))
        return bytes(ffi.buffer(out, length))

    def _text(self, salt: bytes, digest: bytes) -> str:
        return "$".join((self.beginning[:-1], _plain(salt), _plain(digest)))


class _Block:
    """Memory for one hash at a time, and the two functions by which the library asks for it."""

    def __init__(self, size: int) -> None:
        self.memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        # Argon2 jumps about in it: with few large pages the processor finds its way some 5 % faster.
        with suppress(AttributeError, OSError):
            self.memory.madvise(mmap.MADV_HUGEPAGE)
        start = ffi.cast("uint8_t *", ffi.from_buffer(self.memory, require_writable=True))

        def give(address: Any, wanted: int) -> int:
            if wanted > size:
                return int(lib.ARGON2_MEMORY_ALLOCATION_ERROR)
            address[0] = start
            return int(lib.ARGON2_OK)

        self.give = ffi.callback("int(uint8_t **, size_t)", give)
        self.take_back = ffi.callback("void(uint8_t *, size_t)", lambda *_: None)


def _read(text: str) -> tuple[bytes, bytes] | None:
    """Salt and digest of `salt$digest`, or None."""
    salt, _, digest = text.partition("$")
    try:
        parts = _decoded(salt), _decoded(digest)
    except (binascii.Error, ValueError):
        return None
    salt_bytes, digest_bytes = map(len, parts)
    return parts if salt_bytes >= _SHORTEST_SALT and digest_bytes >= _SHORTEST_DIGEST else None


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _plain(value: bytes) -> str:
    return base64.b64encode(value).decode().rstrip("=")
