"""What a token's context lets its bearer do: where a token was too short to say it."""

from datetime import datetime
from typing import Any

from idp.clients import service as clients
from idp.contexts import claims
from idp.grants import state as grant_states
from idp.protocol import jwt
from idp.protocol.errors import InsufficientScope, InvalidToken
from idp.token import verification
from kernel.database import Reads


def tell(at: Reads, token: str, *, issuer: str, now: datetime) -> dict[str, Any]:
    """The roles and permissions of the token's audience, all of them; raises OAuthError.

    Any access token with a context may ask, whatever audience it is for: it learns what stands in it.
    """
    verification.look_ahead(at, token)
    try:
        believed = verification.believe(at, token, issuer=issuer, audience=None, now=now)
    except (jwt.NotBelieved, ValueError) as unproven:
        raise InvalidToken(str(unproven)) from unproven
    client = clients.find(at, believed.client_id)
    if client is None:
        raise InvalidToken("the client was switched off")
    if believed.grant is None or believed.grant.account is None:
        raise InsufficientScope("the token is for no account")
    why_not = grant_states.why_not_for(client, believed.grant)
    if why_not is not None:
        raise InvalidToken(why_not)
    audience = str(believed.claims["aud"])
    return claims.of_grant(
        believed.grant, client, audience=audience, scopes=believed.scopes, issuer=issuer
    )
