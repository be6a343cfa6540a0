"""What applications are told of a fact, and the claims that say it (RFC 8417, RFC 9493; CAEP, RISC, SSF)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

from tenants.facts.service import Kind

_SCHEMAS = "https://schemas.openid.net/secevent"
SESSION_REVOKED = f"{_SCHEMAS}/caep/event-type/session-revoked"
ACCOUNT_DISABLED = f"{_SCHEMAS}/risc/event-type/account-disabled"
ACCOUNT_ENABLED = f"{_SCHEMAS}/risc/event-type/account-enabled"
VERIFICATION = f"{_SCHEMAS}/ssf/event-type/verification"


class Effect(StrEnum):
    """What a fact means to whoever relies on tokens."""

    DISABLED = "account-disabled"
    ENABLED = "account-enabled"
    REVOKED = "session-revoked"
    CHANGED = "context-changed"


EFFECTS: Mapping[Kind, Effect] = MappingProxyType(
    {
        Kind.PERSON_BLOCKED: Effect.DISABLED,
        Kind.PERSON_UNBLOCKED: Effect.ENABLED,
        Kind.MEMBER_BLOCKED: Effect.REVOKED,
        Kind.MEMBER_REMOVED: Effect.REVOKED,
        Kind.MEMBER_LEFT: Effect.REVOKED,
        Kind.MEMBER_SIGNED_OUT: Effect.REVOKED,
        Kind.CLIENT_BLOCKED: Effect.REVOKED,
        Kind.CLIENT_REMOVED: Effect.REVOKED,
        Kind.ACCOUNT_SUSPENDED: Effect.REVOKED,
        Kind.ACCOUNT_CLOSED: Effect.REVOKED,
        Kind.ACCOUNT_APPLICATION_TAKEN: Effect.REVOKED,
        Kind.MEMBER_ACCEPTED: Effect.CHANGED,
        Kind.MEMBER_UNBLOCKED: Effect.CHANGED,
        Kind.MEMBER_ROLES_CHANGED: Effect.CHANGED,
        Kind.CLIENT_UNBLOCKED: Effect.CHANGED,
        Kind.ROLE_CHANGED: Effect.CHANGED,
        Kind.ROLE_REMOVED: Effect.CHANGED,
        Kind.COMPANY_ARCHIVED: Effect.CHANGED,
        Kind.COMPANY_RESTORED: Effect.CHANGED,
        Kind.ACCOUNT_CHANGED: Effect.CHANGED,
        Kind.ACCOUNT_RESUMED: Effect.CHANGED,
        Kind.ACCOUNT_APPLICATION_GIVEN: Effect.CHANGED,
    }
)
"""Nothing that anybody holds changes with the other facts."""


@dataclass(frozen=True)
class Happened:
    """One event: about a person, about a person in an account, or about a whole account."""

    id: UUID
    effect: Effect
    version: int
    account: str | None
    person_id: UUID | None
    at: datetime


def claims(happened: Happened, *, issuer: str, audience: str, now: datetime) -> dict[str, Any]:
    """The claims of a security event token. It has no `exp`: what happened stays so (SSF 1.0 §4.1)."""
    return {
        "iss": issuer,
        "aud": audience,
        "iat": int(now.timestamp()),
        "jti": str(happened.id),
        "toe": int(happened.at.timestamp()),
        "sub_id": _subject(happened, issuer),
        "events": {
            event_uri(happened.effect, issuer): {
                "event_timestamp": int(happened.at.timestamp()),
                "version": happened.version,
            }
        },
    }


def heartbeat(
    *, issuer: str, audience: str, jti: UUID, waiting: int, now: datetime
) -> dict[str, Any]:
    """The claims that say that the feed lives, and how many events could not be delivered yet."""
    return {
        "iss": issuer,
        "aud": audience,
        "iat": int(now.timestamp()),
        "jti": str(jti),
        "sub_id": {"format": "opaque", "id": audience},
        "events": {VERIFICATION: {"waiting": waiting}},
    }


def event_uri(effect: Effect, issuer: str) -> str:
    """How an event is called; what no specification names has an address of our own."""
    match effect:
        case Effect.DISABLED:
            return ACCOUNT_DISABLED
        case Effect.ENABLED:
            return ACCOUNT_ENABLED
        case Effect.REVOKED:
            return SESSION_REVOKED
        case Effect.CHANGED:
            return f"{issuer}/events/context-changed"


def _subject(happened: Happened, issuer: str) -> dict[str, Any]:
    person = (
        {"format": "iss_sub", "iss": issuer, "sub": str(happened.person_id)}
        if happened.person_id is not None
        else None
    )
    if happened.account is None:
        return person or {"format": "opaque", "id": issuer}
    tenant = {"format": "opaque", "id": happened.account}
    return {"format": "complex", **({"user": person} if person else {}), "tenant": tenant}
