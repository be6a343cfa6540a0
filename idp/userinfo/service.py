"""What an access token lets its bearer know (OpenID Connect Core §5.3)."""

from datetime import datetime
from typing import Any

from idp.clients import service as clients
from idp.grants import state as grant_states
from idp.protocol import claims, jwt, scopes
from idp.protocol.errors import InsufficientScope, InvalidToken
from idp.token import verification
from kernel.database import Reads


def tell(at: Reads, token: str, *, issuer: str, now: datetime) -> dict[str, Any]:
    """The claims that this token's scopes bring; raises InvalidToken or InsufficientScope."""
    verification.look_ahead(at, token)
    try:
        believed = verification.believe(at, token, issuer=issuer, audience=issuer, now=now)
    except (jwt.NotBelieved, ValueError) as unproven:
        raise InvalidToken(str(unproven)) from unproven
    if believed.grant is None or scopes.OPENID not in believed.scopes:
        raise InsufficientScope("the token is for no sign-in")
    client = clients.find(at, believed.client_id)
    if client is None:
        raise InvalidToken("the client was switched off")
    if not grant_states.is_consented(client, believed.grant):
        raise InvalidToken("consent was withdrawn")
    if believed.person is None:
        raise InvalidToken("the person is gone")
    return claims.for_scopes(believed.person, believed.scopes)
