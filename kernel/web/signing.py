"""Signed text, for cookies and forms: itsdangerous' to the last byte, the usual case in a few steps.

What itsdangerous would have written just so, with the newest secret, is read here. It judges all
else: what older secrets signed, and what nobody did.
"""

import base64
import hmac
import json
import time
from typing import Any

from itsdangerous import Signer, URLSafeTimedSerializer


class SignedText:
    """A text with its signature behind it, as a `Signer` writes it."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._seal = _Seal(signer)

    def sign(self, text: str) -> str:
        """The text as nobody else can write it."""
        return f"{text}.{self._seal.of(text.encode()).decode()}"

    def read(self, signed: str) -> str:
        """The text; raises BadSignature and UnicodeDecodeError."""
        text, _, signature = signed.encode().rpartition(b".")
        is_ours = hmac.compare_digest(signature, self._seal.of(text))
        return (text if is_ours else self._signer.unsign(signed)).decode()


class SignedValues:
    """Values with the moment and the signature behind them, as a timed serializer writes them."""

    def __init__(self, serializer: URLSafeTimedSerializer) -> None:
        self._serializer = serializer
        self._seal = _Seal(serializer.make_signer(serializer.salt))

    def sign(self, value: Any) -> str:
        """The value as nobody else can write it."""
        moment = _in_letters(int(time.time()).to_bytes(4, "big"))
        signed = self._serializer.dump_payload(value) + b"." + moment
        return f"{signed.decode()}.{self._seal.of(signed).decode()}"

    def read(self, text: str, *, max_age: int | None = None) -> Any:
        """The value, signed at most so many seconds ago; raises BadData."""
        value = self._read_usual(text, max_age)
        return value if value is not None else self._serializer.loads(text, max_age=max_age)

    def _read_usual(self, text: str, max_age: int | None) -> Any | None:
        signed, _, signature = text.encode().rpartition(b".")
        if not hmac.compare_digest(signature, self._seal.of(signed)):
            return None
        payload, _, moment = signed.rpartition(b".")
        age = int(time.time()) - int.from_bytes(_out_of_letters(moment), "big")
        if max_age is not None and not 0 <= age <= max_age:
            return None
        if payload.startswith(b"."):
            # Compressed, because it is long.
            return None
        written = _out_of_letters(payload)
        # With marks for what JSON has no types for.
        return None if b'{" ' in written else json.loads(written)


class _Seal:
    """The signatures of one signer, each in one go: `hmac.new` takes the long way with its digest."""

    def __init__(self, signer: Signer) -> None:
        self._key = signer.derive_key()
        self._digest = signer.digest_method().name

    def of(self, text: bytes) -> bytes:
        return _in_letters(hmac.digest(self._key, text, self._digest))


def _in_letters(written: bytes) -> bytes:
    return base64.urlsafe_b64encode(written).rstrip(b"=")


def _out_of_letters(letters: bytes) -> bytes:
    return base64.urlsafe_b64decode(letters + b"=" * (-len(letters) % 4))
