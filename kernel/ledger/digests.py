"""What is digested, in which form and under which key: the one place that decides it.

All keys come from the ledger's secret, which the database does not hold.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kernel.crypto import keyed_hash

START = bytes(32)

# The columns of an entry under its keyed digest, in this order. A new column goes to the end.
CONTENT = (
    "id",
    "chain",
    "at",
    "event",
    "result",
    "actor",
    "real_actor",
    "account",
    "subject",
    "session",
    "request",
    "details",
    "about",
    "personal_digest",
)


@dataclass(frozen=True)
class Keys:
    """The keys of one ledger."""

    rows: bytes
    links: bytes
    heads: bytes
    signing: Ed25519PrivateKey

    @property
    def public(self) -> Ed25519PublicKey:
        """What an auditor needs to check a signed head, without being able to make one."""
        return self.signing.public_key()


@lru_cache(maxsize=8)
def keys_from(secret: bytes) -> Keys:
    """The keys that belong to a ledger's secret."""
    return Keys(
        rows=keyed_hash(secret, b"ledger: rows"),
        links=keyed_hash(secret, b"ledger: links"),
        heads=keyed_hash(secret, b"ledger: heads"),
        signing=Ed25519PrivateKey.from_private_bytes(keyed_hash(secret, b"ledger: signing")),
    )


def canonical(value: Any) -> str:
    """The one spelling of a value in JSON: sorted, without blanks, in ASCII.

    >>> canonical({"b": [1, None], "a": "ż"})
    '{"a":"\\\\u017c","b":[1,null]}'
    """
    return _ENCODER.encode(value)


def _spell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"a ledger can't hold {type(value).__name__}")


_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=_spell
)


def mac(keys: Keys, entry: Mapping[str, Any]) -> bytes:
    """The keyed digest of an entry's content."""
    return keyed_hash(keys.rows, canonical([entry[name] for name in CONTENT]).encode())


def new_salt() -> bytes:
    """A fresh salt for the digest of personal fields."""
    return secrets.token_bytes(16)


def personal_digest(salt: bytes, fields: str) -> bytes:
    """What an entry keeps of its personal fields. Says nothing once the salt is gone."""
    return hashlib.sha256(salt + fields.encode()).digest()


def link(
    keys: Keys,
    *,
    previous: bytes,
    chain: str,
    sequence: int,
    head: int,
    sealed_at: datetime,
    mac: bytes,
) -> bytes:
    """What ties an entry to its place: its number, its sealing, and all entries before it.

    The sealing is in it so that a head can't be removed and made anew: the entries under the old
    one would no longer fit.
    """
    place = canonical([chain, sequence, head, sealed_at])
    return keyed_hash(keys.links, previous, place.encode(), mac)


def head_digest(keys: Keys, *, previous: bytes, head: Mapping[str, Any]) -> bytes:
    """What ties a head to all heads before it."""
    content = [head[name] for name in ("number", "chain", "sequence", "link", "sealed_at")]
    return keyed_hash(keys.heads, previous, canonical(content).encode())
