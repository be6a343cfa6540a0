"""What an ID token must say before anybody is signed in (OpenID Connect Core §3.1.3.7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from authlib.oidc.core.util import create_half_hash

from kernel.crypto import constant_time_equal
from relying_party import signed_tokens
from relying_party.errors import TokenInvalid
from relying_party.signed_tokens import FindKey, is_moment, is_plain, names_only

# Providers differ in writing the type of an ID token or leaving it out. What has a type of its own
# (an access token, a logout token) is no ID token.
TYPES = frozenset({"", "jwt"})
SKEW = timedelta(seconds=10)
_OLDEST = timedelta(minutes=5)


@dataclass(frozen=True)
class Expected:
    """What the ID token is held against: what we are, and what we asked for."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    algorithm: str
    acr_values: tuple[str, ...] = ()
    """Classes of sign-in that are good enough; empty: any."""
    max_age: int | None = None


@dataclass(frozen=True)
class IdToken:
    """Who signed in, how, and when: checked."""

    subject: str
    issued_at: datetime
    auth_time: datetime | None
    acr: str | None
    amr: tuple[str, ...]
    sid: str | None


def check(token: str, expected: Expected, *, find_key: FindKey, now: datetime) -> IdToken:
    """Read an ID token that came from the token endpoint; raises TokenInvalid."""
    claims = signed_tokens.read(token, types=TYPES, algorithm=expected.algorithm, find_key=find_key)
    refusal = why_refuse(claims, expected, now=now)
    if refusal:
        raise TokenInvalid(refusal)
    auth_time = claims.get("auth_time")
    return IdToken(
        subject=claims["sub"],
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        auth_time=None if auth_time is None else datetime.fromtimestamp(auth_time, UTC),
        acr=claims.get("acr"),
        amr=tuple(claims.get("amr", ())),
        sid=claims.get("sid"),
    )


def why_refuse(claims: Mapping[str, Any], expected: Expected, *, now: datetime) -> str | None:
    """Say why these claims sign nobody in, or None when they do."""
    return (
        _why_refuse_parties(claims, expected)
        or _why_refuse_times(claims, expected, now)
        or _why_refuse_strength(claims, expected)
        or _why_refuse_bindings(claims, expected)
    )


def _why_refuse_parties(claims: Mapping[str, Any], expected: Expected) -> str | None:
    if claims.get("iss") != expected.issuer:
        return "iss is another provider"
    if not names_only(claims.get("aud"), expected.client_id):
        return "aud is not this client alone"
    if claims.get("azp", expected.client_id) != expected.client_id:
        return "azp is another client"
    if not is_plain(claims.get("sub")):
        return "sub is missing or malformed"
    if "sid" in claims and not is_plain(claims["sid"]):
        return "sid is malformed"
    return None


def _why_refuse_times(claims: Mapping[str, Any], expected: Expected, now: datetime) -> str | None:
    for name in ("exp", "iat"):
        if not is_moment(claims.get(name)):
            return f"{name} is missing or malformed"
    seconds, skew = now.timestamp(), SKEW.total_seconds()
    if claims["exp"] + skew <= seconds:
        return "exp is over"
    if claims["iat"] - skew > seconds:
        return "iat is in the future"
    if claims["iat"] + _OLDEST.total_seconds() < seconds:
        return "iat is long ago"
    if "nbf" in claims and not (is_moment(claims["nbf"]) and claims["nbf"] - skew <= seconds):
        return "nbf is in the future or malformed"
    if "auth_time" in claims and not is_moment(claims["auth_time"]):
        return "auth_time is malformed"
    if claims.get("auth_time", 0) - skew > seconds:
        return "auth_time is in the future"
    if expected.max_age is not None:
        if "auth_time" not in claims:
            return "auth_time is missing, and max_age was asked for"
        if claims["auth_time"] + expected.max_age + skew < seconds:
            return "auth_time is longer ago than max_age allows"
    return None


def _why_refuse_strength(claims: Mapping[str, Any], expected: Expected) -> str | None:
    if "acr" in claims and not is_plain(claims["acr"]):
        return "acr is malformed"
    amr = claims.get("amr", [])
    if not isinstance(amr, list) or len(amr) > 20 or not all(is_plain(method) for method in amr):
        return "amr is malformed"
    if expected.acr_values and claims.get("acr") not in expected.acr_values:
        return "acr is not what was asked for"
    return None


def _why_refuse_bindings(claims: Mapping[str, Any], expected: Expected) -> str | None:
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not constant_time_equal(nonce, expected.nonce):
        return "nonce is not the one of this attempt"
    if "at_hash" in claims:
        right = create_half_hash(expected.access_token, expected.algorithm)
        given = claims["at_hash"]
        if right is None or not isinstance(given, str) or not constant_time_equal(given, right):
            return "at_hash belongs to another access token"
    return None
