"""What a security event token must say before it has any effect (RFC 8417 §2, SSF 1.0 §4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from relying_party.errors import EventRefused, TokenInvalid
from relying_party.revocations.service import RevocationEvent
from relying_party.signed_tokens import FindKey, is_moment, is_plain, names_only, read

TYPES = frozenset({"secevent+jwt"})
SKEW = timedelta(seconds=10)
# The identity program makes the token anew at each attempt. Older ones need not be remembered.
OLDEST = timedelta(minutes=10)
_SCHEMAS = "https://schemas.openid.net/secevent"
HEARTBEAT = f"{_SCHEMAS}/ssf/event-type/verification"
_EVENTS = {
    f"{_SCHEMAS}/risc/event-type/account-disabled": RevocationEvent.ACCOUNT_DISABLED,
    f"{_SCHEMAS}/risc/event-type/account-enabled": RevocationEvent.ACCOUNT_ENABLED,
    f"{_SCHEMAS}/caep/event-type/session-revoked": RevocationEvent.SESSION_REVOKED,
}
_OUR_OWN = "/events/context-changed"
_LARGEST_VERSION = 2**53


@dataclass(frozen=True)
class Heartbeat:
    """The feed lives; so many events could not be delivered yet."""

    waiting: int


@dataclass(frozen=True)
class Event:
    """Something happened to a person, to a person in an account, or to a whole account."""

    what: RevocationEvent
    subject: str | None
    account: str | None
    version: int
    happened_at: datetime


@dataclass(frozen=True)
class EventToken:
    """A checked token. `content` is None for an event that we know nothing of."""

    jti: str
    issued_at: datetime
    content: Heartbeat | Event | None

    @property
    def replayable_until(self) -> datetime:
        """When its age alone keeps it out."""
        return self.issued_at + OLDEST + SKEW


def check(
    token: str,
    *,
    issuer: str,
    client_id: str,
    algorithm: str,
    find_key: FindKey,
    now: datetime,
) -> EventToken:
    """Read a security event token; raises EventRefused."""
    try:
        claims = read(token, types=TYPES, algorithm=algorithm, find_key=find_key)
    except TokenInvalid as refusal:
        # With other keys at hand it may be believed: then the provider tries again.
        raise EventRefused(refusal.detail, reason="invalid_key") from refusal
    _check_issuer_and_audience(claims, issuer, client_id)
    _check_frame(claims, now)
    return EventToken(
        jti=claims["jti"],
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        content=_content(claims, issuer),
    )


def _check_issuer_and_audience(claims: Mapping[str, Any], issuer: str, client_id: str) -> None:
    if claims.get("iss") != issuer:
        raise EventRefused("iss is another provider", reason="invalid_issuer")
    if not names_only(claims.get("aud"), client_id):
        raise EventRefused("aud is not this client alone", reason="invalid_audience")


def _check_frame(claims: Mapping[str, Any], now: datetime) -> None:
    if not is_plain(claims.get("jti")):
        raise EventRefused("jti is missing or malformed")
    if not is_moment(claims.get("iat")):
        raise EventRefused("iat is missing or malformed")
    if "exp" in claims or "nonce" in claims or "sub" in claims:
        raise EventRefused("a claim that only other tokens have")
    seconds = now.timestamp()
    if claims["iat"] - SKEW.total_seconds() > seconds:
        raise EventRefused("iat is in the future")
    if claims["iat"] + OLDEST.total_seconds() < seconds:
        raise EventRefused("issued too long ago")


def _content(claims: Mapping[str, Any], issuer: str) -> Heartbeat | Event | None:
    events = claims.get("events")
    if not isinstance(events, dict) or len(events) != 1:
        raise EventRefused("events names not exactly one event")
    [(uri, said)] = events.items()
    if not isinstance(said, dict):
        raise EventRefused("the event is no object")
    if uri == HEARTBEAT:
        return Heartbeat(_count(said.get("waiting", 0), "waiting"))
    what = RevocationEvent.CONTEXT_CHANGED if uri == issuer + _OUR_OWN else _EVENTS.get(uri)
    if what is None:
        return None
    subject, account = _whom(claims.get("sub_id"), issuer)
    is_whole_person = what in (RevocationEvent.ACCOUNT_DISABLED, RevocationEvent.ACCOUNT_ENABLED)
    if is_whole_person and (subject is None or account is not None):
        raise EventRefused("sub_id does not name a person alone")
    moment = said.get("event_timestamp", claims["iat"])
    if not is_moment(moment):
        raise EventRefused("event_timestamp is malformed")
    return Event(
        what=what,
        subject=subject,
        account=account,
        version=_count(said.get("version", 0), "version"),
        happened_at=datetime.fromtimestamp(moment, UTC),
    )


def _whom(sub_id: object, issuer: str) -> tuple[str | None, str | None]:
    """The person and the account that a subject identifier names (RFC 9493; SSF's complex ones)."""
    if not isinstance(sub_id, dict):
        raise EventRefused("sub_id is missing or malformed")
    if sub_id.get("format") != "complex":
        return _person(sub_id, issuer), None
    user, tenant = sub_id.get("user"), sub_id.get("tenant")
    subject = _person(user, issuer) if user is not None else None
    account = _opaque(tenant) if tenant is not None else None
    if subject is None and account is None:
        raise EventRefused("sub_id names nobody")
    return subject, account


def _person(identifier: object, issuer: str) -> str:
    if (
        isinstance(identifier, dict)
        and identifier.get("format") == "iss_sub"
        and identifier.get("iss") == issuer
        and is_plain(identifier.get("sub"))
    ):
        return str(identifier["sub"])
    raise EventRefused("sub_id names no person of this provider")


def _opaque(identifier: object) -> str:
    if (
        isinstance(identifier, dict)
        and identifier.get("format") == "opaque"
        and is_plain(identifier.get("id"), longest=64)
    ):
        return str(identifier["id"])
    raise EventRefused("sub_id names no account")


def _count(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST_VERSION:
        raise EventRefused(f"{name} is malformed")
    return value
