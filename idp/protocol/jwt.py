"""JSON Web Tokens: the one place where they are made and believed (RFC 7519, RFC 8725).

A verifier says what it expects: the type, the issuer, the audience. The key says its one
algorithm; what the token's header says about keys and algorithms decides nothing.
"""

import base64
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache, partial
from typing import Any, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

ID_TOKEN = "JWT"  # noqa: S105
ACCESS_TOKEN = "at+jwt"  # noqa: S105
LOGOUT_TOKEN = "logout+jwt"  # noqa: S105
SECURITY_EVENT = "secevent+jwt"
CLIENT_ASSERTION = "client-authentication+jwt"

ALGORITHMS = ("ES256", "EdDSA", "PS256", "RS256")
SKEW_SECONDS = 10

_LONGEST = 16_384
# Decoders pass over stray characters, which would give one token many spellings.
_SEGMENT = re.compile(r"[A-Za-z0-9_-]*")
_SMALLEST_RSA = 2_048
_LARGEST_RSA = 8_192
# A token that brings its own key, says where to find one, or changes how it is to be read.
_REFUSED_HEADERS = frozenset({"jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip"})
_FURTHEST_TIME = 4_102_444_800 * 10

_SHA256 = hashes.SHA256()
_ECDSA = ec.ECDSA(_SHA256)
_PADDINGS = {
    "RS256": padding.PKCS1v15(),
    "PS256": padding.PSS(padding.MGF1(_SHA256), salt_length=padding.PSS.DIGEST_LENGTH),
}
_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


class NotBelieved(Exception):
    """The token proves nothing here. The text says why, for the log."""


@dataclass(frozen=True)
class TokenKey:
    """A key with its one algorithm; with the private half it signs, without it verifies."""

    id: str
    algorithm: str
    material: Key

    @cached_property
    def signature(self) -> Callable[[bytes], bytes]:
        """Signs as RFC 7518 §3 says, with the parsed private key; joserfc costs as much again."""
        match self.algorithm, self.material.private_key:
            case "ES256", ec.EllipticCurvePrivateKey() as curve:
                return partial(_sign_es256, curve)
            case ("RS256" | "PS256") as name, rsa.RSAPrivateKey() as large:
                return lambda data: large.sign(data, _PADDINGS[name], _SHA256)
            case "EdDSA", ed25519.Ed25519PrivateKey() as edwards:
                return edwards.sign
        raise NotBelieved("a key that does not sign")


def _sign_es256(private: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    r, s = decode_dss_signature(private.sign(data, _ECDSA))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class _Registry(JWSRegistry):
    # joserfc stops at 512 bytes of header, which an RSA key's thumbprints alone can pass.
    max_header_length = 4_096
    max_payload_length = _LONGEST

    def get_alg(self, name: str) -> Any:
        """The one algorithm. joserfc would warn each time that EdDSA has got a newer name."""
        if self.allowed is None or name not in self.allowed:
            raise UnsupportedAlgorithmError(f"{name} is not this key's algorithm")
        return self.algorithms[name]


# Headers that we don't know are passed over (RFC 7515 §4); those that matter are refused above.
_REGISTRIES = {name: _Registry(algorithms=[name], strict_check_header=False) for name in ALGORITHMS}

FindKey = Callable[[str | None], TokenKey | None]


def sign(claims: Mapping[str, Any], key: TokenKey, *, typ: str) -> str:
    """A signed token in the compact form."""
    signed = _header(key.algorithm, key.id, typ) + b"." + _encode(_compact.encode(claims).encode())
    return (signed + b"." + _encode(key.signature(signed))).decode("ascii")


@lru_cache(maxsize=100)
def _header(algorithm: str, kid: str, typ: str) -> bytes:
    return _encode(_compact.encode({"alg": algorithm, "kid": kid, "typ": typ}).encode())


def verify(
    token: str,
    *,
    find_key: FindKey,
    typ: Sequence[str | None],
    issuer: str,
    audience: str | None,
    now: datetime,
    skew: int = SKEW_SECONDS,
    expired_is_fine: bool = False,
) -> dict[str, Any]:
    """The claims of a token that is what it should be; raises NotBelieved.

    `typ` lists the header types to accept (None: no `typ` at all). `audience` None leaves `aud` to
    the caller. `expired_is_fine` is for hints, which name somebody and open nothing.
    """
    header = read_header(token)
    _check_header(header, typ)
    key = find_key(header.get("kid"))
    if key is None:
        raise NotBelieved("no key with this kid")
    if header["alg"] != key.algorithm:
        raise NotBelieved("the key signs with another algorithm")
    claims = _verified_claims(token, key)
    if claims.get("iss") != issuer:
        raise NotBelieved("another issuer")
    if audience is not None and not names_audience(claims, audience):
        raise NotBelieved("another audience")
    _check_times(claims, now, skew=skew, expired_is_fine=expired_is_fine)
    return claims


def read_header(token: str) -> dict[str, Any]:
    """The header, which nobody has vouched for; raises NotBelieved."""
    if len(token) > _LONGEST:
        raise NotBelieved("too long")
    parts = token.split(".")
    if len(parts) != 3 or not all(_SEGMENT.fullmatch(part) for part in parts):
        raise NotBelieved("not a token in the compact form")
    header = _read_object(_decode(parts[0]))
    if not isinstance(header.get("alg"), str):
        raise NotBelieved("no algorithm")
    if not isinstance(header.get("kid", ""), str):
        raise NotBelieved("kid is not text")
    return header


def read_unverified_claims(token: str) -> dict[str, Any]:
    """The claims, which nobody has vouched for: good for finding out whose key to ask for."""
    read_header(token)
    return _read_object(_decode(token.split(".")[1]))


def names_audience(claims: Mapping[str, Any], audience: str) -> bool:
    """Whether `aud` is, or contains, exactly this text.

    >>> names_audience({"aud": ["a", "b"]}, "b"), names_audience({"aud": "ab"}, "b")
    (True, False)
    """
    named = claims.get("aud")
    return named == audience or (isinstance(named, list) and audience in named)


def _check_header(header: Mapping[str, Any], typ: Sequence[str | None]) -> None:
    if header["alg"] not in ALGORITHMS:
        raise NotBelieved("an algorithm that we don't take")
    brought = _REFUSED_HEADERS.intersection(header)
    if brought:
        raise NotBelieved(f"header {min(brought)} is not taken")
    told = header.get("typ")
    if told is not None:
        if not isinstance(told, str):
            raise NotBelieved("typ is not text")
        # RFC 7515 §4.1.9: a media type, its «application/» left out, in any case.
        told = told.lower().removeprefix("application/")
    if told not in [one.lower() if one is not None else None for one in typ]:
        raise NotBelieved("another type of token")


def _verified_claims(token: str, key: TokenKey) -> dict[str, Any]:
    try:
        signed = jws.deserialize_compact(token, key.material, registry=_REGISTRIES[key.algorithm])
    except (JoseError, ValueError, TypeError) as broken:
        raise NotBelieved(f"signature: {type(broken).__name__}") from broken
    return _read_object(signed.payload)


def _check_times(
    claims: Mapping[str, Any], now: datetime, *, skew: int, expired_is_fine: bool
) -> None:
    second = now.timestamp()
    expires = numeric_date(claims, "exp")
    if expires is None:
        raise NotBelieved("no exp")
    if not expired_is_fine and expires + skew <= second:
        raise NotBelieved("expired")
    for name in ("nbf", "iat"):
        moment = numeric_date(claims, name)
        if moment is not None and moment - skew > second:
            raise NotBelieved(f"{name} is in the future")


def numeric_date(claims: Mapping[str, Any], name: str) -> float | None:
    """A time in seconds, None where the claim is missing; raises NotBelieved for anything else."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotBelieved(f"{name} is not a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise NotBelieved(f"{name} is not a time")
    if abs(value) > _FURTHEST_TIME:
        raise NotBelieved(f"{name} is not a time")
    return float(value)


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(segment: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError as broken:
        raise NotBelieved("not base64url") from broken


def _read_object(data: bytes | None) -> dict[str, Any]:
    """A JSON object without duplicate members, at any depth."""
    try:
        value = json.loads((data or b"").decode("utf-8"), object_pairs_hook=_members_once)
    except (ValueError, RecursionError) as broken:
        raise NotBelieved("not a JSON object that can be read in one way") from broken
    if not isinstance(value, dict):
        raise NotBelieved("not a JSON object")
    return value


def _members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotBelieved("a member appears twice")
    return members


def public_key(jwk: Mapping[str, Any]) -> TokenKey:
    """Read somebody's public key; its `alg`, or else its kind, fixes the algorithm.

    Raises NotBelieved for private and symmetric keys and for weak ones.
    """
    if any(name in jwk for name in ("d", "p", "q", "dp", "dq", "qi", "k")):
        raise NotBelieved("a key that should have stayed private")
    if jwk.get("use", "sig") != "sig":
        raise NotBelieved("not a key for signatures")
    material, algorithms = _import(jwk)
    algorithm = jwk.get("alg", algorithms[0])
    if algorithm not in algorithms:
        raise NotBelieved("an algorithm that this key can't have")
    kid = jwk.get("kid", "")
    if not isinstance(kid, str):
        raise NotBelieved("kid is not text")
    return TokenKey(kid, str(algorithm), material)


def _import(jwk: Mapping[str, Any]) -> tuple[Key, tuple[str, ...]]:
    try:
        plain = {name: value for name, value in jwk.items() if name in _PUBLIC_MEMBERS}
        match jwk.get("kty"), jwk.get("crv"):
            case "EC", "P-256":
                ec = ECKey.import_key(cast(Any, plain))
                # Read now: a point that is not on the curve is found when it is first used.
                ec.public_key  # noqa: B018
                return ec, ("ES256",)
            case "OKP", "Ed25519":
                okp = OKPKey.import_key(cast(Any, plain))
                okp.public_key  # noqa: B018
                return okp, ("EdDSA",)
            case "RSA", _:
                bits = len(_decode(str(jwk.get("n", "")))) * 8
                if not _SMALLEST_RSA <= bits <= _LARGEST_RSA:
                    raise NotBelieved("an RSA key under 2048 bits, or over 8192")
                return RSAKey.import_key(cast(Any, plain)), ("RS256", "PS256")
    except NotBelieved:
        raise
    except Exception as broken:  # whatever a made-up key breaks in the library
        raise NotBelieved("not a key") from broken
    raise NotBelieved("a kind of key that we don't take")


_PUBLIC_MEMBERS = frozenset({"kty", "crv", "x", "y", "n", "e"})
