"""What a browser is asked to do with a passkey, and the checks of what it answers (WebAuthn Level 3).

Nothing is stored here. A check that fails raises `PasskeyRefused`: there is no answer that a caller
could forget to look at. The parsing and the signatures are the library webauthn's; what it leaves to
its users (§7.1, §7.2) is checked beside it.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from idp.settings import current_settings
from kernel import brand
from kernel.errors import Refused

TIMEOUT_MS = 300_000
LONGEST_ANSWER = 16_000
_LONGEST_ID = 1023
_SMALLEST_RSA_BITS = 2048
# As COSE numbers them: Ed25519 and P-256; RSA (PKCS #1 v1.5, SHA-256) because Windows Hello has
# nothing else on many machines.
ALGORITHMS = (-8, -7, -257)
# We ask for no attestation; a browser may leave one in with which a device vouches for itself.
_ATTESTATIONS = frozenset({"none", "packed"})
_TRANSPORTS = ("ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb")


class PasskeyRefused(Refused):
    """What came from the browser proves nothing. The detail is for our logs."""

    reason = "passkey_refused"


@dataclass(frozen=True)
class RelyingParty:
    """Under which name passkeys are kept for us, and from where they may be used."""

    domain: str
    origin: str


@dataclass(frozen=True)
class Descriptor:
    """A passkey as the browser is told of it."""

    credential_id: bytes
    transports: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "type": "public-key",
            "id": bytes_to_base64url(self.credential_id),
            "transports": list(self.transports),
        }


@dataclass(frozen=True)
class Answer:
    """What a browser sent, taken apart and not checked."""

    fields__unverified: dict[str, Any]
    credential_id__unverified: bytes
    challenge__unverified: bytes
    user_handle__unverified: bytes | None
    transports__unverified: tuple[str, ...]


@dataclass(frozen=True)
class Made:
    """A passkey that was just made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    is_verified: bool
    is_syncable: bool
    is_synced: bool


@dataclass(frozen=True)
class Shown:
    """A passkey that was just used."""

    sign_count: int
    is_verified: bool
    is_synced: bool


def relying_party() -> RelyingParty:
    """We, by the settings; nothing in a request has a say."""
    settings = current_settings()
    return RelyingParty(domain=settings.passkey_relying_party, origin=settings.issuer)


def ask_to_make(
    party: RelyingParty,
    *,
    challenge: bytes,
    user_handle: bytes,
    email: str,
    known: Sequence[Descriptor] = (),
    must_stand_alone: bool = False,
) -> dict[str, Any]:
    """The options of `navigator.credentials.create`.

    A passkey that can be used alone is preferred, and any security key is welcome beside a password.
    """
    strength = "required" if must_stand_alone else "preferred"
    return {
        "rp": {"id": party.domain, "name": brand.NAME},
        "user": {"id": bytes_to_base64url(user_handle), "name": email, "displayName": email},
        "challenge": bytes_to_base64url(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": alg} for alg in ALGORITHMS],
        "timeout": TIMEOUT_MS,
        "excludeCredentials": [one.as_json() for one in known],
        "authenticatorSelection": {
            "residentKey": strength,
            "requireResidentKey": must_stand_alone,
            "userVerification": strength,
        },
        "attestation": "none",
    }


def ask_to_show(
    party: RelyingParty,
    *,
    challenge: bytes,
    known: Sequence[Descriptor] = (),
    must_stand_alone: bool,
) -> dict[str, Any]:
    """The options of `navigator.credentials.get`. Without `known`, they say nothing of anybody."""
    return {
        "challenge": bytes_to_base64url(challenge),
        "rpId": party.domain,
        "timeout": TIMEOUT_MS,
        "allowCredentials": [one.as_json() for one in known],
        "userVerification": "required" if must_stand_alone else "discouraged",
    }


def all_that_count(
    party: RelyingParty, *, user_handle: bytes, known: Sequence[Descriptor]
) -> dict[str, Any]:
    """The options of `PublicKeyCredential.signalAllAcceptedCredentials`: others may be forgotten."""
    return {
        "rpId": party.domain,
        "userId": bytes_to_base64url(user_handle),
        "allAcceptedCredentialIds": [bytes_to_base64url(one.credential_id) for one in known],
    }


def read(text: str) -> Answer:
    """Take apart what a browser sent; raises PasskeyRefused for what no browser would send."""
    if len(text) > LONGEST_ANSWER:
        raise PasskeyRefused("the answer is too long")
    try:
        fields = json.loads(text)
        response = fields["response"]
        said = json.loads(base64url_to_bytes(response["clientDataJSON"]))
        handle = response.get("userHandle")
        answer = Answer(
            fields__unverified=fields,
            credential_id__unverified=base64url_to_bytes(fields["rawId"]),
            challenge__unverified=base64url_to_bytes(said["challenge"]),
            user_handle__unverified=base64url_to_bytes(handle) if handle else None,
            transports__unverified=tuple(response.get("transports") or ()),
        )
    # A stranger wrote it: whatever is tripped over, it is no answer.
    except Exception as malformed:
        raise PasskeyRefused(f"malformed: {type(malformed).__name__}") from malformed
    if said.get("crossOrigin") or "topOrigin" in said:
        raise PasskeyRefused("it was made within another site's page")
    if not 0 < len(answer.credential_id__unverified) <= _LONGEST_ID:
        raise PasskeyRefused("the credential id has no length that one may have")
    return answer


def check_made(
    answer: Answer, party: RelyingParty, *, challenge: bytes, must_stand_alone: bool
) -> Made:
    """The passkey that the browser made; raises PasskeyRefused (WebAuthn §7.1)."""
    # With all that it brings along it is 12 MB and a third of a second, at the first passkey.
    from webauthn import verify_registration_response  # noqa: PLC0415
    from webauthn.helpers import (  # noqa: PLC0415
        decode_credential_public_key,
        decoded_public_key_to_cryptography,
    )
    from webauthn.helpers.cose import COSEAlgorithmIdentifier  # noqa: PLC0415
    from webauthn.helpers.decode_credential_public_key import DecodedRSAPublicKey  # noqa: PLC0415
    from webauthn.helpers.structs import CredentialDeviceType  # noqa: PLC0415

    try:
        found = verify_registration_response(
            credential=answer.fields__unverified,
            expected_challenge=challenge,
            expected_rp_id=party.domain,
            expected_origin=party.origin,
            require_user_presence=True,
            require_user_verification=must_stand_alone,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(alg) for alg in ALGORITHMS],
        )
        public_key = decode_credential_public_key(found.credential_public_key)
        # Whether it is a point of the curve is found out when it is loaded.
        decoded_public_key_to_cryptography(public_key)
    except Exception as wrong:
        raise PasskeyRefused(_detail_of(wrong)) from wrong
    if found.credential_id != answer.credential_id__unverified:
        raise PasskeyRefused("the credential id is not the one that the authenticator signed")
    if found.fmt not in _ATTESTATIONS:
        raise PasskeyRefused("an attestation that nobody asked for")
    if isinstance(public_key, DecodedRSAPublicKey) and _bits(public_key.n) < _SMALLEST_RSA_BITS:
        raise PasskeyRefused("the RSA key is too short")
    return Made(
        credential_id=found.credential_id,
        public_key=found.credential_public_key,
        sign_count=found.sign_count,
        transports=tuple(one for one in _TRANSPORTS if one in answer.transports__unverified),
        is_verified=found.user_verified,
        is_syncable=found.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        is_synced=found.credential_backed_up,
    )


def check_shown(
    answer: Answer,
    party: RelyingParty,
    *,
    challenge: bytes,
    public_key: bytes,
    is_syncable: bool,
    must_stand_alone: bool,
) -> Shown:
    """What the passkey said; raises PasskeyRefused (WebAuthn §7.2).

    The counter is not compared here but where it is stored, by one statement.
    """
    # As above: not before somebody has a passkey.
    from webauthn import verify_authentication_response  # noqa: PLC0415
    from webauthn.helpers.structs import CredentialDeviceType  # noqa: PLC0415

    try:
        found = verify_authentication_response(
            credential=answer.fields__unverified,
            expected_challenge=challenge,
            expected_rp_id=party.domain,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=must_stand_alone,
        )
    except Exception as wrong:
        raise PasskeyRefused(_detail_of(wrong)) from wrong
    if (found.credential_device_type is CredentialDeviceType.MULTI_DEVICE) != is_syncable:
        raise PasskeyRefused("what can't change changed: whether it may be synced")
    return Shown(
        sign_count=found.new_sign_count,
        is_verified=found.user_verified,
        is_synced=found.credential_backed_up,
    )


def bytes_to_base64url(value: bytes) -> str:
    """As browsers write bytes: base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def base64url_to_bytes(text: str) -> bytes:
    """Bytes as a browser wrote them; with padding or without."""
    return urlsafe_b64decode(f"{text}===")


def _detail_of(wrong: Exception) -> str:
    # The library's own words; what a stranger wrote into other exceptions stays out of the log.
    is_known = type(wrong).__module__.startswith("webauthn")
    return str(wrong)[:200] if is_known else type(wrong).__name__


def _bits(number: bytes) -> int:
    return int.from_bytes(number, "big").bit_length()
