"""Making access tokens (RFC 9068) and ID tokens (OpenID Connect Core §2). Pure: keys come in."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from idp.contexts.claims import place
from idp.grants.state import GrantState
from idp.protocol import jwt, scopes
from idp.protocol.jwt import TokenKey
from kernel.crypto import new_token


def access_token(
    *,
    issuer: str,
    subject: str,
    client_id: str,
    audience: str,
    granted: Sequence[str],
    key: TokenKey,
    life: timedelta,
    now: datetime,
    grant: GrantState | None = None,
    context: Mapping[str, Any] | None = None,
) -> str:
    """A signed access token for one audience; with a grant, it says on which sign-in it stands.

    `context` are the claims of the account in which it was given.
    """
    issued_at = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": subject,
        "aud": audience,
        "client_id": client_id,
        "iat": issued_at,
        "exp": issued_at + int(life.total_seconds()),
        "jti": new_token(128),
        "scope": scopes.join(granted),
    }
    if grant is not None:
        claims |= {
            "auth_time": int(grant.auth_time.timestamp()),
            "acr": grant.acr,
            "sid": str(grant.sid),
            # Whoever checks the token here finds the grant by this.
            "gid": str(grant.id),
        }
    if context is not None:
        claims |= context
    return jwt.sign(claims, key, typ=jwt.ACCESS_TOKEN)


def id_token(
    *,
    issuer: str,
    client_id: str,
    grant: GrantState,
    access_token: str,
    key: TokenKey,
    life: timedelta,
    now: datetime,
    nonce: str | None,
) -> str:
    """A signed statement of who signed in, when and how. What they are like is userinfo's to say."""
    issued_at = int(now.timestamp())
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": str(grant.person_id),
        "aud": client_id,
        "iat": issued_at,
        "exp": issued_at + int(life.total_seconds()),
        # When the person signed in, also where the token is renewed much later.
        "auth_time": int(grant.auth_time.timestamp()),
        "acr": grant.acr,
        "amr": list(grant.amr),
        "sid": str(grant.sid),
        "at_hash": left_half_of_hash(access_token),
        **place(grant.account, grant.company),
    }
    if nonce is not None:
        claims["nonce"] = nonce
    return jwt.sign(claims, key, typ=jwt.ID_TOKEN)


def left_half_of_hash(text: str) -> str:
    """`at_hash` for algorithms with SHA-256 (OpenID Connect Core §3.1.3.6).

    >>> left_half_of_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y")
    '77QmUPtjPfzWtF2AnpK9RQ'
    """
    digest = hashlib.sha256(text.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
