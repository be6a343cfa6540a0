"""Revoking a token on its own client's word."""

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from idp.clients.service import RegisteredClient
from idp.events import ProviderEvent
from idp.grants import service as grants
from idp.grants.service import Reason
from idp.grants.state import GrantState
from idp.protocol import jwt
from idp.token import refresh_token, verification
from kernel.ledger import INSTALLATION
from tenants.audit import ledger, person_chain
from tenants.database import db


def revoke(token: str, *, client: RegisteredClient, issuer: str, now: datetime) -> None:
    """End the token. Somebody else's, an unknown or an ended one: nothing happens (RFC 7009 §2.2).

    With a refresh token goes the whole grant (§2.1), with an access token that token alone.
    """
    if "." in token:
        _revoke_access_token(token, client=client, issuer=issuer, now=now)
    else:
        _revoke_refresh_token(token, client=client, now=now)


def _revoke_access_token(
    token: str, *, client: RegisteredClient, issuer: str, now: datetime
) -> None:
    try:
        with db.glancing() as glance:
            believed = verification.believe(glance, token, issuer=issuer, audience=None, now=now)
    except (jwt.NotBelieved, ValueError):
        return
    if believed.client_id != client.id:
        return
    expires = datetime.fromtimestamp(believed.claims["exp"] + 2 * jwt.SKEW_SECONDS, tz=UTC)
    with db.transaction() as session:
        if grants.revoke_access_token(session, believed.claims["jti"], expires_at=expires):
            _note(session, ProviderEvent.ACCESS_TOKEN_REVOKED, believed.grant, client, now)


def _revoke_refresh_token(token: str, *, client: RegisteredClient, now: datetime) -> None:
    with db.transaction() as session:
        link = refresh_token.find(session, token)
        if link is None or link.grant.client_id != client.id:
            return
        if grants.revoke(session, link.grant.id, reason=Reason.REVOKED_BY_CLIENT, now=now):
            _note(session, ProviderEvent.GRANT_REVOKED, link.grant, client, now)


def _note(
    session: Session,
    event: ProviderEvent,
    grant: GrantState | None,
    client: RegisteredClient,
    now: datetime,
) -> None:
    """In the history of the person whose grant it was; a client's own token is the installation's."""
    ledger.append(
        session,
        chain=person_chain(grant.person_id) if grant is not None else INSTALLATION,
        event=event,
        actor=f"client:{client.id}",
        subject=str(grant.person_id) if grant is not None else f"client:{client.id}",
        result="success",
        at=now,
        details={"grant": str(grant.id)} if grant is not None else {},
    )
