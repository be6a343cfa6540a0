"""What the token endpoint answers for a grant of a person: access token, ID token, refresh token."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from idp.clients.service import RegisteredClient
from idp.contexts import claims
from idp.grants.state import GrantState
from idp.keys import service as keys
from idp.protocol import scopes
from idp.protocol.errors import InvalidTarget
from idp.settings import IdentitySettings
from idp.token import audience, mint
from kernel.database import Reads


def for_person(
    grant: GrantState,
    *,
    client: RegisteredClient,
    granted: Sequence[str],
    requested_resources: Sequence[str],
    refresh_token: str | None,
    nonce: str | None,
    settings: IdentitySettings,
    now: datetime,
    at: Reads,
) -> dict[str, Any]:
    """The members of the answer (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3)."""
    issuer = settings.issuer
    # What the application may have now, whatever it might when the person signed in.
    granted = [scope for scope in granted if scope in client.scopes]
    life = timedelta(seconds=settings.access_token_seconds)
    key_of = partial(keys.signing_key, now=now, at=at)
    audience_ = audience_for(grant, client, requested_resources, issuer)
    context = claims.of_grant(grant, client, audience=audience_, scopes=granted, issuer=issuer)
    token = mint.access_token(
        issuer=issuer,
        subject=str(grant.person_id),
        client_id=client.id,
        audience=audience_,
        granted=granted,
        key=key_of(client.access_token_signed_response_alg),
        life=life,
        now=now,
        grant=grant,
        context=claims.for_token(context, issuer=issuer) if context else None,
    )
    answer: dict[str, Any] = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": int(life.total_seconds()),
        "scope": scopes.join(granted),
    }
    if scopes.OPENID in granted:
        answer["id_token"] = mint.id_token(
            issuer=issuer,
            client_id=client.id,
            grant=grant,
            access_token=token,
            key=key_of(client.id_token_signed_response_alg),
            life=timedelta(seconds=settings.id_token_seconds),
            now=now,
            nonce=nonce,
        )
    if refresh_token is not None:
        answer["refresh_token"] = refresh_token
    return answer


def audience_for(
    grant: GrantState, client: RegisteredClient, requested: Sequence[str], issuer: str
) -> str:
    """The audience of this grant's next token; raises InvalidTarget."""
    is_sign_in = scopes.OPENID in grant.scopes
    default = issuer if is_sign_in or not client.audiences else client.audiences[0]
    chosen = audience.choose(
        requested, granted=grant.resources, client=client, issuer=issuer, default=default
    )
    _check_account_has(grant, chosen)
    return chosen


def _check_account_has(grant: GrantState, audience_: str) -> None:
    """In a context, a token is only for what the account has (TEN-17)."""
    if grant.standing is None:
        return
    application = grant.standing.audiences.get(audience_)
    if application is not None and application not in grant.standing.applications:
        raise InvalidTarget("the account does not have the application that serves this resource")
