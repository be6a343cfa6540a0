"""A token for the application itself (RFC 6749 §4.4). Nothing is written down for it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from idp.clients.service import CLIENT_CREDENTIALS, RegisteredClient
from idp.keys import service as keys
from idp.protocol import scopes
from idp.protocol.errors import InvalidScope
from idp.protocol.jwt import TokenKey
from idp.protocol.parameters import Parameters
from idp.settings import IdentitySettings, current_settings
from idp.token import audience, mint
from idp.token.server import TokenGrant
from kernel.database import Reads


class ClientCredentialsGrant(TokenGrant):
    """`grant_type=client_credentials`."""

    GRANT_TYPE = CLIENT_CREDENTIALS

    def exchange(self) -> dict[str, Any]:
        return trade(self.request.parameters, client=self.request.client, now=self.request.now)


def trade(
    parameters: Parameters, *, client: RegisteredClient, now: datetime, at: Reads | None = None
) -> dict[str, Any]:
    """The answer to this request of a client that proved itself; raises OAuthError."""
    return issue(
        client,
        scope=parameters.get("scope"),
        resources=parameters.resources,
        key=keys.signing_key(client.access_token_signed_response_alg, now=now, at=at),
        settings=current_settings(),
        now=now,
    )


def issue(
    client: RegisteredClient,
    *,
    scope: str | None,
    resources: Sequence[str],
    key: TokenKey,
    settings: IdentitySettings,
    now: datetime,
) -> dict[str, Any]:
    """The answer with a token whose subject is the client; no ID token and no refresh token."""
    granted = allowed_scopes(client, scope)
    default = client.audiences[0] if client.audiences else settings.issuer
    token = mint.access_token(
        issuer=settings.issuer,
        subject=client.id,
        client_id=client.id,
        audience=audience.choose(
            resources, granted=(), client=client, issuer=settings.issuer, default=default
        ),
        granted=granted,
        key=key,
        life=timedelta(seconds=settings.access_token_seconds),
        now=now,
    )
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": settings.access_token_seconds,
        "scope": scopes.join(granted),
    }


def allowed_scopes(client: RegisteredClient, asked: str | None) -> tuple[str, ...]:
    """What was asked for, or all that the client may have; nothing that is about a person."""
    own = tuple(scope for scope in client.scopes if scope not in scopes.OF_OPENID)
    if asked is None:
        return own
    wanted = scopes.parse(asked)
    if not set(wanted).issubset(own):
        raise InvalidScope("the client may not have these scopes")
    return wanted
