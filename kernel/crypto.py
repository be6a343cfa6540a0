"""Random values, their digests, and data at rest. Everything that hides something starts here."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kernel.errors import KlucznikError, Misconfigured

_KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID_BYTES = 4


def new_token(bits: int = 256) -> str:
    """A secret that nobody guesses, in the characters of a URL.

    It never begins with a hyphen: on a command line that would be an option (one beginning in 64, so nothing is lost).

    >>> len(new_token(128))
    22
    """
    while (token := secrets.token_urlsafe(bits // 8)).startswith("-"):
        continue
    return token


def new_digits(count: int) -> str:
    """A code of `count` decimal digits, for people to type.

    >>> code = new_digits(8)
    >>> len(code), code.isdigit()
    (8, True)
    """
    return f"{secrets.randbelow(10**count):0{count}d}"


def hash_token(token: str) -> bytes:
    """What we keep of a secret of at least 128 bits: its SHA-256, 32 bytes.

    Enough for random values only; a password needs `idp.credentials.password`.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def keyed_hash(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA-256 over length-prefixed parts, so that ("ab", "c") differs from ("a", "bc")."""
    message = b"".join([piece for part in parts for piece in (len(part).to_bytes(8, "big"), part)])
    return hmac.digest(key, message, "sha256")


def constant_time_equal(left: str | bytes, right: str | bytes) -> bool:
    """Whether two values are equal, in a time that does not tell where they differ.

    >>> constant_time_equal("zażółć", "zażółć"), constant_time_equal(b"a", "b")
    (True, False)
    """
    return hmac.compare_digest(_as_bytes(left), _as_bytes(right))


def _as_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")


class CannotOpen(KlucznikError):
    """The sealed value was altered, belongs elsewhere, or its key is gone."""


class Vault:
    """Encrypts data at rest with AES-256-GCM.

    The first key seals, every key opens, so a key is replaced by putting a new one in front. The
    `context` (say `totp:<person id>`) is bound in: a value copied to another row does not open.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise Misconfigured("encryption keys must be 32 bytes each, and there must be one")
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}
        self._newest = next(iter(self._ciphers))

    def seal(self, plaintext: bytes, *, context: str) -> bytes:
        """Encrypt for this context. The answer holds the key's id, the nonce and the tag."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = self._ciphers[self._newest]
        return self._newest + nonce + cipher.encrypt(nonce, plaintext, context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Decrypt what `seal` made for the same context; raises CannotOpen."""
        key_id, rest = sealed[:_KEY_ID_BYTES], sealed[_KEY_ID_BYTES:]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise CannotOpen("no key with this id")
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as altered:
            raise CannotOpen(f"not sealed for {context.partition(':')[0]}") from altered

    def needs_resealing(self, sealed: bytes) -> bool:
        """Whether an older key sealed this."""
        return sealed[:_KEY_ID_BYTES] != self._newest


def _key_id(key: bytes) -> bytes:
    return keyed_hash(key, b"vault: key id")[:_KEY_ID_BYTES]


def key_from_text(text: str) -> bytes:
    """Read a 32-byte key as an operator writes it: base64url, with or without padding.

    >>> key_from_text(new_token(256)) != key_from_text(new_token(256))
    True
    """
    try:
        key = base64.urlsafe_b64decode(text.strip() + "=" * (-len(text.strip()) % 4))
    except (ValueError, binascii.Error) as malformed:
        raise Misconfigured("a key is not base64url") from malformed
    if len(key) != _KEY_BYTES:
        raise Misconfigured("a key must hold 32 bytes")
    return key
