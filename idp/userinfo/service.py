"""What an access token lets its bearer know (OpenID Connect Core §5.3)."""

from datetime import datetime
from typing import Any

from idp.clients import service as clients
from idp.contexts import claims as context_claims
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
    why_not = grant_states.why_not_for(client, believed.grant)
    if why_not is not None:
        raise InvalidToken(why_not)
    if believed.person is None:
        raise InvalidToken("the person is gone")
    context = context_claims.of_grant(
        believed.grant, client, audience=issuer, scopes=believed.scopes, issuer=issuer
    )
    names = context_claims.named(believed.grant.standing)
    return claims.for_scopes(believed.person, believed.scopes) | context | names
