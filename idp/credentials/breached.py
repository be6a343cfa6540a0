"""The operator's files of breached passwords, kept as filters on disk (Bloom filters).

Each list that is added becomes one file in a folder. A look-up reads a few bytes of it: a list of a
billion passwords costs three gigabytes of disk and no memory. One good password in a hundred
thousand is refused by mistake; no listed one is ever let through.
"""

import hashlib
import math
import mmap
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from idp.credentials.password import normalised
from kernel.errors import Misconfigured
from kernel.ids import new_id

_MAGIC = b"KLUCZBF1"
_HEADER = struct.Struct(">8sQQI")
_BITS_EACH = 24
_PROBES = 17
_SHA1_LINE = re.compile(rb"^([0-9A-Fa-f]{40})(?::\d+)?$")


class Nothing:
    """No file was added."""

    def contains(self, password: str) -> bool:
        return False


class BreachedPasswords:
    """The filters of one folder, mapped and not read."""

    def __init__(self, folder: Path) -> None:
        self._filters = [_Filter(path) for path in sorted(folder.glob("*.filter"))]

    @property
    def size(self) -> int:
        """How many passwords were added."""
        return sum(one.count for one in self._filters)

    def contains(self, password: str) -> bool:
        """Whether the password, as it is or in small letters, was in a list."""
        whole = normalised(password)
        digests = [
            _digest(text.encode("utf-8", "surrogatepass")) for text in {whole, whole.lower()}
        ]
        return any(one.has(digest) for one in self._filters for digest in digests)


def add(source: Path, folder: Path) -> int:
    """Make a filter of a list and put it into the folder; says how many passwords it holds.

    A line is a password, or the SHA-1 of one in hexadecimal digits, with or without `:count`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = sum(1 for _ in _digests(source))
    if not count:
        raise Misconfigured("the list is empty")
    bits = max(64, math.ceil(count * _BITS_EACH / 8) * 8)
    unfinished = folder / f"{new_id().hex}.unfinished"
    try:
        with unfinished.open("w+b") as file:
            file.write(_HEADER.pack(_MAGIC, count, bits, _PROBES))
            file.truncate(_HEADER.size + bits // 8)
            _fill(file, source, bits)
        unfinished.rename(unfinished.with_suffix(".filter"))
    finally:
        unfinished.unlink(missing_ok=True)
    return count


def _fill(file: BinaryIO, source: Path, bits: int) -> None:
    with mmap.mmap(file.fileno(), 0) as pages:
        for digest in _digests(source):
            for bit in _positions(digest, bits, _PROBES):
                pages[_HEADER.size + (bit >> 3)] |= 1 << (bit & 7)
        pages.flush()


class _Filter:
    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
            if len(header) != _HEADER.size:
                raise Misconfigured(f"{path.name} is no filter of passwords")
            magic, self.count, self._bits, self._probes = _HEADER.unpack(header)
            if magic != _MAGIC or path.stat().st_size != _HEADER.size + self._bits // 8:
                raise Misconfigured(f"{path.name} is no filter of passwords")
            self._pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def has(self, digest: bytes) -> bool:
        return all(
            self._pages[_HEADER.size + (bit >> 3)] >> (bit & 7) & 1
            for bit in _positions(digest, self._bits, self._probes)
        )


def _positions(digest: bytes, bits: int, probes: int) -> Iterator[int]:
    first = int.from_bytes(digest[:8], "big")
    step = int.from_bytes(digest[8:16], "big") | 1
    return ((first + probe * step) % bits for probe in range(probes))


def _digests(source: Path) -> Iterator[bytes]:
    with source.open("rb") as lines:
        for line in lines:
            text = line.rstrip(b"\r\n")
            if not text:
                continue
            hashed = _SHA1_LINE.match(text)
            yield bytes.fromhex(hashed[1].decode()) if hashed else _digest(_as_typed(text))


def _as_typed(line: bytes) -> bytes:
    try:
        return normalised(line.decode()).encode()
    except UnicodeDecodeError:
        return line


def _digest(password: bytes) -> bytes:
    # SHA-1 because that is what published lists hold; nothing is protected by it here.
    return hashlib.sha1(password, usedforsecurity=False).digest()
