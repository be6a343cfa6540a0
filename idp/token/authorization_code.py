"""Trading an authorization code for tokens (RFC 6749 §4.1.3): once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, func, update

from idp.clients.service import AUTHORIZATION_CODE, RegisteredClient
from idp.events import ProviderEvent
from idp.grants import service as grants
from idp.grants import state as grant_states
from idp.grants.models import Grant
from idp.grants.state import GrantState
from idp.protocol import pkce
from idp.protocol.errors import InvalidGrant
from idp.protocol.parameters import Parameters
from idp.settings import current_settings
from idp.token import answer, refresh_token
from idp.token.server import TokenGrant
from kernel.crypto import hash_token
from kernel.database import HotStatement, Reads, UTCDateTime
from tenants.database import db

REPLAYED = "code was redeemed before"

_GRANT = Grant.__table__.c
_BY_CODE = HotStatement(
    grant_states.with_consent(grant_states.COLUMNS)
    .add_columns(_GRANT.code_expires_at, _GRANT.redirect_uri, _GRANT.code_challenge)
    .where(_GRANT.code_hash == bindparam("code_hash"))
)
_SPEND = HotStatement(
    update(cast(Table, Grant.__table__))
    .where(
        _GRANT.id == bindparam("grant_id"),
        _GRANT.redeemed_at.is_(None),
        _GRANT.revoked_at.is_(None),
    )
    .values(
        redeemed_at=bindparam("now"),
        kept_until=func.coalesce(bindparam("chain_ends", type_=UTCDateTime()), _GRANT.kept_until),
    )
    .returning(_GRANT.id)
)


@dataclass(frozen=True)
class Code:
    """A code as it was given, and the grant that it stands for."""

    grant: GrantState
    expires_at: datetime
    redirect_uri: str
    challenge: str | None


class AuthorizationCodeGrant(TokenGrant):
    """`grant_type=authorization_code`."""

    GRANT_TYPE = AUTHORIZATION_CODE

    def exchange(self) -> dict[str, Any]:
        return trade(self.request.parameters, client=self.request.client, now=self.request.now)


def trade(parameters: Parameters, *, client: RegisteredClient, now: datetime) -> dict[str, Any]:
    """The answer to this request of a client that proved itself; raises OAuthError."""
    return redeem(
        parameters.get("code", ""),
        client=client,
        redirect_uri=parameters.get("redirect_uri", ""),
        code_verifier=parameters.get("code_verifier"),
        resources=parameters.resources,
        now=now,
    )


def redeem(
    code: str,
    *,
    client: RegisteredClient,
    redirect_uri: str,
    code_verifier: str | None,
    now: datetime,
    resources: Sequence[str] = (),
) -> dict[str, Any]:
    """Spend an authorization code and return the tokens that it buys; raises InvalidGrant.

    A code buys tokens once. Seeing it again means that it leaked, and we cannot tell the thief from
    the owner, so whatever it already bought is revoked.
    """
    settings = current_settings()
    with db.glancing() as glance:
        found = _find(glance, code, now)
    refusal = why_refuse(found, client.id, redirect_uri, code_verifier, now)
    if found is not None and refusal is None:
        refusal = grant_states.why_not_for(client, found.grant)
    bought = None
    if found is not None and refusal is None:
        # Raises while nothing is spent yet: the client can ask again with another resource.
        answer.audience_for(found.grant, client, resources, settings.issuer)
        ends = refresh_token.chain_end(found.grant, client, settings=settings, now=now)
        with db.hot_transaction() as transaction:
            if not _spend(transaction, found.grant, ends, now):
                refusal = REPLAYED
            elif ends is not None:
                bought = refresh_token.begin(
                    transaction, found.grant, ends, settings=settings, now=now
                )
    if found is not None and refusal == REPLAYED:
        with db.transaction() as session:
            grants.revoke_replayed(session, found.grant, event=ProviderEvent.CODE_REPLAYED, now=now)
    if found is None or refusal is not None:
        raise InvalidGrant(refusal or "no such code")
    with db.glancing() as glance:
        return answer.for_person(
            found.grant,
            client=client,
            granted=found.grant.scopes,
            requested_resources=resources,
            refresh_token=bought,
            nonce=found.grant.nonce,
            settings=settings,
            now=now,
            at=glance,
        )


def why_refuse(
    code: Code | None, client_id: str, redirect_uri: str, code_verifier: str | None, now: datetime
) -> str | None:
    """Say why this code buys nothing, or None when it does."""
    if code is None:
        return "no such code"
    if code.grant.redeemed_at is not None:
        return REPLAYED
    if code.grant.client_id != client_id:
        return "code belongs to another client"
    if code.expires_at <= now:
        return "code expired"
    if code.redirect_uri != redirect_uri:
        return "redirect_uri differs from the authorization request"
    if code.challenge is None:
        # RFC 9700 §4.8.2: else somebody could have taken the challenge away on the way here.
        return "code_verifier without a code_challenge" if code_verifier is not None else None
    if code_verifier is None or not pkce.proves(code_verifier, code.challenge):
        return "code_verifier does not match"
    return grant_states.why_ended(code.grant, now)


def _find(at: Reads, code: str, now: datetime) -> Code | None:
    """The code, with the grant and the consents behind it."""
    rows = _BY_CODE.rows(at, code_hash=hash_token(code))
    if not rows:
        return None
    grant, row = grant_states.with_standing(at, grant_states.from_rows(rows), now), rows[0]
    return Code(grant, row.code_expires_at, row.redirect_uri, row.code_challenge)


def _spend(at: Reads, grant: GrantState, chain_ends: datetime | None, now: datetime) -> bool:
    """Mark the code as redeemed; False when another request was quicker, or the grant ended.

    The grant is kept for as long as the chain of refresh tokens that begins with it.
    """
    return _SPEND.first(at, grant_id=grant.id, now=now, chain_ends=chain_ends) is not None
