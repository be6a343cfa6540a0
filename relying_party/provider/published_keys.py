"""The provider's published keys (RFC 7517): those that can check a signature, by their id."""

import json
from typing import Any

from joserfc import jwk
from joserfc.errors import JoseError
from joserfc.jwk import Key

from relying_party.errors import IdentityUnreachable

_MOST = 50
_KINDS = {
    "ES256": {"kty": "EC", "crv": "P-256"},
    "EdDSA": {"kty": "OKP", "crv": "Ed25519"},
    "PS256": {"kty": "RSA"},
    "RS256": {"kty": "RSA"},
}
_PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "n", "e", "kid")
_SHORTEST_RSA = 2048


def parse(document: bytes, *, algorithm: str) -> dict[str, Key]:
    """The keys for one algorithm, by `kid`; raises IdentityUnreachable when there is no key set.

    A key that can't be used is passed over: the provider may publish more than we understand.
    """
    try:
        listed = json.loads(document)["keys"]
    except (ValueError, RecursionError, KeyError, TypeError) as malformed:
        raise IdentityUnreachable("the provider's keys are not a key set") from malformed
    if not isinstance(listed, list):
        raise IdentityUnreachable("the provider's keys are not a list")
    found = {}
    for member in listed[:_MOST]:
        key = _usable(member, algorithm)
        if key is not None:
            found[str(key.kid)] = key
    return found


def _usable(member: Any, algorithm: str) -> Key | None:
    if not isinstance(member, dict) or not isinstance(member.get("kid"), str):
        return None
    if member.get("use", "sig") != "sig" or member.get("alg", algorithm) != algorithm:
        return None
    if any(member.get(name) != value for name, value in _KINDS[algorithm].items()):
        return None
    if member["kty"] == "RSA" and not _is_long_enough(member.get("n")):
        return None
    try:
        return jwk.import_key({name: member[name] for name in _PUBLIC_MEMBERS if name in member})
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _is_long_enough(modulus: Any) -> bool:
    return isinstance(modulus, str) and len(modulus) * 6 >= _SHORTEST_RSA
