"""Security event tokens as the provider of the tests makes them."""

import time
from typing import Any

from werkzeug.test import TestResponse

from kernel.crypto import new_token
from tests.relying_party.browsers import Browser
from tests.relying_party.strict_provider import StrictProvider

SCHEMAS = "https://schemas.openid.net/secevent"
DISABLED = f"{SCHEMAS}/risc/event-type/account-disabled"
ENABLED = f"{SCHEMAS}/risc/event-type/account-enabled"
REVOKED = f"{SCHEMAS}/caep/event-type/session-revoked"
HEARTBEAT = f"{SCHEMAS}/ssf/event-type/verification"


def changed(provider: StrictProvider) -> str:
    """What a change of permissions is called."""
    return f"{provider.issuer}/events/context-changed"


def person(provider: StrictProvider, subject: str | None = None) -> dict[str, Any]:
    """The person who signs in, or another one, as a subject."""
    subject = subject or provider.person["sub"]
    return {"format": "iss_sub", "iss": provider.issuer, "sub": subject}


def tenant(account: str) -> dict[str, Any]:
    """An account as a subject."""
    return {"format": "opaque", "id": account}


def claims_of(
    provider: StrictProvider, event: str, said: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """The claims of a right token, but for `changes`; None leaves a claim out."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": provider.issuer,
        "aud": "portal",
        "iat": now,
        "jti": new_token(),
        "sub_id": person(provider),
        "events": {event: {"event_timestamp": now, "version": 1, **(said or {})}},
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


def push(
    browser: Browser,
    event: str,
    said: dict[str, Any] | None = None,
    *,
    typ: str = "secevent+jwt",
    **changes: Any,
) -> TestResponse:
    """Let the provider push one event to the application behind this browser."""
    claims = claims_of(browser.provider, event, said, **changes)
    return push_token(browser, browser.provider.sign(claims, typ=typ))


def push_token(
    browser: Browser, token: str | bytes, content_type: str = "application/secevent+jwt"
) -> TestResponse:
    """The same with a token that was made before."""
    return browser.client.post(
        "/security-events", base_url=browser.base, data=token, content_type=content_type
    )


def beat(browser: Browser, *, waiting: int = 0) -> TestResponse:
    """Let the provider push a heartbeat."""
    return push(browser, HEARTBEAT, {"waiting": waiting}, sub_id=tenant("portal"))
