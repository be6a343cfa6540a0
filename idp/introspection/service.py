"""What a token is, now, for a client that may know (RFC 7662 §2.2)."""

from datetime import datetime
from typing import Any

from idp.client_requests import FindClient
from idp.clients import service as clients
from idp.clients.service import RegisteredClient
from idp.contexts import claims as context_claims
from idp.grants import state as grant_states
from idp.protocol import jwt
from idp.protocol.errors import InvalidClient, InvalidRequest
from idp.protocol.parameters import Parameters
from idp.token import refresh_token, verification
from kernel.database import Reads
from tenants.database import db

INACTIVE: dict[str, Any] = {"active": False}
_SHOWN = (
    "iss",
    "sub",
    "aud",
    "client_id",
    "iat",
    "exp",
    "jti",
    "scope",
    "auth_time",
    "acr",
    "sid",
)


def answer(
    parameters: Parameters, find_client: FindClient, *, issuer: str, now: datetime
) -> dict[str, Any]:
    """What to say to this request; raises OAuthError."""
    with db.glancing() as glance:
        verification.look_ahead(glance, parameters.get("token", ""))
        client = find_client(glance)
        if client.is_public:
            raise InvalidClient("a public client may not introspect")
        if "token" not in parameters:
            raise InvalidRequest("token is missing")
        return inspect(glance, parameters["token"], client=client, issuer=issuer, now=now)


def inspect(
    at: Reads, token: str, *, client: RegisteredClient, issuer: str, now: datetime
) -> dict[str, Any]:
    """The token's state. Unknown, ended and somebody else's all look the same."""
    if "." in token:
        return _inspect_access_token(at, token, client=client, issuer=issuer, now=now)
    return _inspect_refresh_token(at, token, client=client, issuer=issuer, now=now)


def may_look(client: RegisteredClient, *, issued_to: str, audience: object) -> bool:
    """Whether a token is any of this client's business: issued to it, or meant for its API."""
    return client.id == issued_to or (isinstance(audience, str) and audience in client.serves)


def _inspect_access_token(
    at: Reads, token: str, *, client: RegisteredClient, issuer: str, now: datetime
) -> dict[str, Any]:
    try:
        believed = verification.believe(at, token, issuer=issuer, audience=None, now=now)
    except (jwt.NotBelieved, ValueError):
        return INACTIVE
    audience = believed.claims.get("aud")
    if not may_look(client, issued_to=believed.client_id, audience=audience):
        return INACTIVE
    bearer = clients.find(at, believed.client_id)
    if bearer is None:
        return INACTIVE
    if believed.grant and grant_states.why_not_for(bearer, believed.grant) is not None:
        return INACTIVE
    shown = {name: believed.claims[name] for name in _SHOWN if name in believed.claims}
    return {"active": True, "token_type": "Bearer"} | shown | _context(believed, bearer, issuer)


def _context(
    believed: verification.AccessToken, bearer: RegisteredClient, issuer: str
) -> dict[str, Any]:
    """The context as it is now, whatever it was when the token was made."""
    if believed.grant is None:
        return {}
    return context_claims.of_grant(
        believed.grant,
        bearer,
        audience=str(believed.claims["aud"]),
        scopes=believed.scopes,
        issuer=issuer,
    )


def _inspect_refresh_token(
    at: Reads, token: str, *, client: RegisteredClient, issuer: str, now: datetime
) -> dict[str, Any]:
    link = refresh_token.find_standing(at, token, now)
    if link is None or link.spent_at is not None:
        return INACTIVE
    if refresh_token.why_refuse(link, client.id, now) is not None:
        return INACTIVE
    if grant_states.why_not_for(client, link.grant) is not None:
        return INACTIVE
    return {
        "active": True,
        "token_type": "refresh_token",
        "iss": issuer,
        "sub": str(link.grant.person_id),
        "client_id": link.grant.client_id,
        "scope": " ".join(link.grant.scopes),
        "exp": int(link.expires_at.timestamp()),
        **context_claims.place(link.grant.account, link.grant.company),
    }
