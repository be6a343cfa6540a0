"""Telling applications that a session is over (OpenID Connect Back-Channel Logout 1.0)."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from idp.clients import service as clients
from idp.keys import service as keys
from idp.protocol import jwt
from idp.settings import current_settings
from kernel import clock
from kernel.errors import KlucznikError
from kernel.outbox import Lane, Message, Undeliverable
from kernel.outgoing import Outgoing
from tenants.database import db
from tenants.outbox import outbox

KIND = "logout-token"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LIFE = timedelta(minutes=2)
# Later than that, the application's own session has reached its end, and its tokens long before.
_WORTH_TRYING = timedelta(hours=24)
_EXTENSION = "klucznik.idp.logout.outgoing"


class NotTaken(KlucznikError):
    """The application did not take the logout token this time."""


def announce(
    session: Session, *, client_id: str, uri: str, subject: UUID, sid: UUID, now: datetime
) -> None:
    """Write down that this application has to be told."""
    outbox.put(
        session,
        lane=Lane.SECURITY,
        kind=KIND,
        destination=urlsplit(uri).netloc,
        payload={"client_id": client_id, "uri": uri, "sub": str(subject), "sid": str(sid)},
        now=now,
        expires_at=now + _WORTH_TRYING,
    )


def deliver(message: Message) -> None:
    """Send one logout token; the worker's handler. Raises to be tried again.

    The token is made anew at each attempt, so that it is never older than it may be; its `jti` is
    the message's, so that an application can tell a repetition.
    """
    payload = message.payload
    with db.reading() as session:
        client = clients.find(session, payload["client_id"])
    if client is None:
        raise Undeliverable("the client is gone")
    now = clock.now()
    claims = claims_for(
        issuer=current_settings().issuer,
        audience=client.id,
        subject=payload["sub"],
        sid=payload["sid"],
        jti=str(message.id),
        now=now,
    )
    key = keys.signing_key(client.id_token_signed_response_alg, now=now)
    token = jwt.sign(claims, key, typ=jwt.LOGOUT_TOKEN)
    answer = _outgoing().post(payload["uri"], data={"logout_token": token})
    if answer.status == 400:
        raise Undeliverable("the application refused the token")
    if not 200 <= answer.status < 300:
        raise NotTaken(f"status {answer.status}")


def claims_for(
    *, issuer: str, audience: str, subject: str, sid: str, jti: str, now: datetime
) -> dict[str, Any]:
    """The claims of a logout token (§2.4): an event with nothing in it, and never a nonce."""
    issued_at = int(now.timestamp())
    return {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "sid": sid,
        "iat": issued_at,
        "exp": issued_at + int(_LIFE.total_seconds()),
        "jti": jti,
        "events": {EVENT: {}},
    }


def _outgoing() -> Outgoing:
    client: Outgoing | None = current_app.extensions.get(_EXTENSION)
    if client is None:
        client = current_app.extensions.setdefault(_EXTENSION, Outgoing(current_settings()))
    return client
