"""What a logout token must say before it ends anything (Back-Channel Logout §2.4, §2.6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from relying_party import signed_tokens
from relying_party.errors import TokenInvalid
from relying_party.signed_tokens import FindKey, is_moment, is_plain, names_only

TYPES = frozenset({"logout+jwt"})
EVENT = "http://schemas.openid.net/event/backchannel-logout"
SKEW = timedelta(seconds=10)
# The identity program gives logout tokens two minutes; a longer life would have to be remembered
# for longer, too.
LONGEST_LIFE = timedelta(minutes=5)


@dataclass(frozen=True)
class LogoutToken:
    """Whose sessions end: those of one sign-in (`sid`), or all of a person's (`subject`)."""

    jti: str
    subject: str | None
    sid: str | None
    issued_at: datetime
    expires_at: datetime


def check(
    token: str,
    *,
    issuer: str,
    client_id: str,
    algorithm: str,
    find_key: FindKey,
    now: datetime,
) -> LogoutToken:
    """Read a logout token; raises TokenInvalid."""
    claims = signed_tokens.read(token, types=TYPES, algorithm=algorithm, find_key=find_key)
    refusal = why_refuse(claims, issuer=issuer, client_id=client_id, now=now)
    if refusal:
        raise TokenInvalid(refusal)
    return LogoutToken(
        jti=claims["jti"],
        subject=claims.get("sub"),
        sid=claims.get("sid"),
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
    )


def why_refuse(
    claims: Mapping[str, Any], *, issuer: str, client_id: str, now: datetime
) -> str | None:
    """Say why these claims end nothing, or None when they do."""
    if claims.get("iss") != issuer:
        return "iss is another provider"
    if not names_only(claims.get("aud"), client_id):
        return "aud is not this client alone"
    if "nonce" in claims:
        return "a nonce, which only ID tokens have"
    if not is_plain(claims.get("jti")):
        return "jti is missing or malformed"
    return _why_refuse_event(claims) or _why_refuse_times(claims, now)


def _why_refuse_event(claims: Mapping[str, Any]) -> str | None:
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        return "events does not say that this is a logout"
    named = [name for name in ("sub", "sid") if name in claims]
    if not named:
        return "neither sub nor sid"
    for name in named:
        if not is_plain(claims[name]):
            return f"{name} is malformed"
    return None


def _why_refuse_times(claims: Mapping[str, Any], now: datetime) -> str | None:
    for name in ("exp", "iat"):
        if not is_moment(claims.get(name)):
            return f"{name} is missing or malformed"
    seconds, skew = now.timestamp(), SKEW.total_seconds()
    if claims["exp"] + skew <= seconds:
        return "exp is over"
    if claims["iat"] - skew > seconds:
        return "iat is in the future"
    if claims["exp"] - claims["iat"] > LONGEST_LIFE.total_seconds():
        return "a life longer than we remember tokens for"
    return None
