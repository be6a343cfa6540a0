"""A passkey in software: makes the very bytes that an authenticator and its browser would.

Everything is right until a test says otherwise: each keyword of `make` and `show` bends one thing.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from idp.credentials import passkeys
from idp.credentials.ceremonies import Made
from tenants.database import db
from tests.programs import ISSUER

PRESENT, VERIFIED, SYNCABLE, SYNCED, MADE = 0x01, 0x04, 0x08, 0x10, 0x40
ES256, EDDSA, RS256, ES384 = -7, -8, -257, -35


@dataclass
class SecurityKey:
    """One key pair for one person. `counter` of None: it does not count, as synced passkeys do."""

    algorithm: int = ES256
    is_synced: bool = False
    verifies: bool = True
    counter: int | None = None
    domain: str = "localhost"
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    user_handle: bytes = b""
    rsa_bits: int = 2048

    def __post_init__(self) -> None:
        self._private: Any = {
            ES256: lambda: ec.generate_private_key(ec.SECP256R1()),
            ES384: lambda: ec.generate_private_key(ec.SECP384R1()),
            EDDSA: ed25519.Ed25519PrivateKey.generate,
            RS256: lambda: rsa.generate_private_key(65537, self.rsa_bits),
        }[self.algorithm]()

    def make(self, options: dict[str, Any], **bent: Any) -> str:
        """The answer to `navigator.credentials.create`."""
        self.user_handle = _bytes(options["user"]["id"])
        signed = self._signed(bent, made=True)
        statement = bent.get("statement", {})
        attestation = {
            "fmt": bent.get("attestation", "none"),
            "attStmt": statement,
            "authData": signed,
        }
        return self._answer(
            bent,
            clientDataJSON=self._said(options, "webauthn.create", bent),
            attestationObject=cbor2.dumps(attestation),
            transports=bent.get("transports", ["internal"]),
        )

    def show(self, options: dict[str, Any], **bent: Any) -> str:
        """The answer to `navigator.credentials.get`."""
        said = self._said(options, "webauthn.get", bent)
        signed = self._signed(bent, made=False)
        signature = self._sign(signed + hashlib.sha256(said).digest())
        handle = bent.get("user_handle", self.user_handle)
        return self._answer(
            bent,
            clientDataJSON=said,
            authenticatorData=signed,
            signature=bent.get("signature", signature),
            **({"userHandle": handle} if handle is not None else {}),
        )

    def as_made(self) -> Made:
        """The passkey as it is known after it was made."""
        return Made(
            credential_id=self.credential_id,
            public_key=self._cose(),
            sign_count=self.counter or 0,
            transports=("internal",),
            is_verified=self.verifies,
            is_syncable=self.is_synced,
            is_synced=self.is_synced,
        )

    def _said(self, options: dict[str, Any], kind: str, bent: dict[str, Any]) -> bytes:
        said = {
            "type": bent.get("type", kind),
            "challenge": bent.get("challenge", options["challenge"]),
            "origin": bent.get("origin", ISSUER),
            **bent.get("said", {"crossOrigin": False}),
        }
        return json.dumps(said).encode()

    def _signed(self, bent: dict[str, Any], *, made: bool) -> bytes:
        if self.counter is not None:
            self.counter += 1
        flags = PRESENT | (VERIFIED if self.verifies else 0) | (MADE if made else 0)
        flags |= (SYNCABLE | SYNCED) if self.is_synced else 0
        flags = (flags | bent.get("with_flags", 0)) & ~bent.get("without_flags", 0)
        count: int = bent.get("count", self.counter or 0)
        domain: str = bent.get("domain", self.domain)
        start = hashlib.sha256(domain.encode()).digest()
        start += bytes([flags]) + count.to_bytes(4, "big")
        if not made:
            return start
        credential_id: bytes = bent.get("signed_id", self.credential_id)
        length = len(credential_id).to_bytes(2, "big")
        public_key: bytes = bent.get("public_key", self._cose())
        return start + bytes(16) + length + credential_id + public_key

    def _answer(self, bent: dict[str, Any], **response: Any) -> str:
        raw_id = bent.get("raw_id", self.credential_id)
        return json.dumps(
            {
                "id": bent.get("id", _text(self.credential_id)),
                "rawId": _text(raw_id),
                "type": bent.get("credential_type", "public-key"),
                "response": {
                    name: _text(value) if isinstance(value, bytes) else value
                    for name, value in response.items()
                },
                "clientExtensionResults": {},
            }
        )

    def _sign(self, data: bytes) -> bytes:
        match self.algorithm:
            case -8:
                signature = self._private.sign(data)
            case -257:
                signature = self._private.sign(data, padding.PKCS1v15(), hashes.SHA256())
            case _:
                signature = self._private.sign(data, ec.ECDSA(hashes.SHA256()))
        return bytes(signature)

    def _cose(self) -> bytes:
        public = self._private.public_key()
        match self.algorithm:
            case -8:
                numbers = {1: 1, 3: -8, -1: 6, -2: public.public_bytes_raw()}
            case -257:
                found = public.public_numbers()
                numbers = {
                    1: 3,
                    3: -257,
                    -1: found.n.to_bytes(self.rsa_bits // 8, "big"),
                    -2: found.e.to_bytes(3, "big"),
                }
            case _:
                found, size = public.public_numbers(), public.curve.key_size // 8
                curve = 1 if self.algorithm == ES256 else 2
                numbers = {
                    1: 2,
                    3: self.algorithm,
                    -1: curve,
                    -2: found.x.to_bytes(size, "big"),
                    -3: found.y.to_bytes(size, "big"),
                }
        return cbor2.dumps(numbers)


def a_passkey(
    person_id: UUID, *, now: datetime, key: SecurityKey | None = None, name: str = "Firefox, Linux"
) -> SecurityKey:
    """A passkey that a person added a while ago; with `key`, this one."""
    key = key or SecurityKey()
    with db.transaction() as session:
        known = passkeys.of_person(session, person_id=person_id)
        key.user_handle = known[0].user_handle if known else passkeys.new_user_handle()
        passkeys.store(
            session,
            key.as_made(),
            person_id=person_id,
            user_handle=key.user_handle,
            name=name,
            now=now,
        )
    return key


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
