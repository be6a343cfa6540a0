"""SHA-crypt, the `$5$` and `$6$` of Unix, written from Ulrich Drepper's specification of 2007.

Python lost its own in 3.13. Only what verifying needs is here; nothing new is hashed with it. The
names A, B, DP, DS, P and S are the specification's.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Protocol

_LETTERS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# In which order the bytes of the digest are written: three at a time, as four letters; the rest is
# the last group.
_ORDER_256 = (
    *((0, 10, 20), (21, 1, 11), (12, 22, 2), (3, 13, 23), (24, 4, 14)),
    *((15, 25, 5), (6, 16, 26), (27, 7, 17), (18, 28, 8), (9, 19, 29)),
    (31, 30),
)
_ORDER_512 = (
    *((0, 21, 42), (22, 43, 1), (44, 2, 23), (3, 24, 45), (25, 46, 4), (47, 5, 26)),
    *((6, 27, 48), (28, 49, 7), (50, 8, 29), (9, 30, 51), (31, 52, 10), (53, 11, 32)),
    *((12, 33, 54), (34, 55, 13), (56, 14, 35), (15, 36, 57), (37, 58, 16), (59, 17, 38)),
    *((18, 39, 60), (40, 61, 19), (62, 20, 41)),
    (63,),
)
# i % 2, i % 3 and i % 7 repeat together.
_PERIOD = 42


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


def sha256_crypt(password: bytes, salt: bytes, rounds: int) -> str:
    """The 43 characters behind the last `$` of a `$5$` hash.

    >>> sha256_crypt(b"Hello world!", b"saltstring", 5000)
    '5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'
    """
    return _written(_crypt(hashlib.sha256, password, salt, rounds), _ORDER_256)


def sha512_crypt(password: bytes, salt: bytes, rounds: int) -> str:
    """The 86 characters behind the last `$` of a `$6$` hash."""
    return _written(_crypt(hashlib.sha512, password, salt, rounds), _ORDER_512)


def _crypt(new: Callable[[bytes], _Digest], password: bytes, salt: bytes, rounds: int) -> bytes:
    size = len(password)
    b = new(password + salt + password).digest()
    a = new(password + salt + _stretched(b, size))
    while size:
        a.update(b if size & 1 else password)
        size >>= 1
    digest = a.digest()
    dp = new(password * len(password)).digest()
    ds = new(salt * (16 + digest[0])).digest()
    p, s = _stretched(dp, len(password)), _stretched(ds, len(salt))
    around = [_around(i, p, s) for i in range(_PERIOD)]
    for i in range(rounds):
        before, behind = around[i % _PERIOD]
        digest = new(before + digest + behind).digest()
    return digest


def _around(i: int, p: bytes, s: bytes) -> tuple[bytes, bytes]:
    """What stands before and behind the last digest in round `i`."""
    between = (s if i % 3 else b"") + (p if i % 7 else b"")
    return (p + between, b"") if i % 2 else (b"", between + p)


def _stretched(block: bytes, size: int) -> bytes:
    return (block * (size // len(block) + 1))[:size]


def _written(digest: bytes, order: Sequence[Sequence[int]]) -> str:
    """The digest in crypt's own base 64: the lowest six bits of a group come first."""
    letters = []
    for group in order:
        bits = int.from_bytes(bytes(digest[index] for index in group), "big")
        for place in range(len(group) + 1):
            letters.append(_LETTERS[bits >> 6 * place & 63])
    return "".join(letters)
