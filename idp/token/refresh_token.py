"""Trading a refresh token for new tokens (RFC 6749 §6), with rotation (RFC 9700 §4.14.2).

Each use spends the token and gives the next one of its chain. A public client's token that is seen
again ends the chain. A confidential client may have lost our answer: its identical request within
some seconds gets the identical answer, which only the spent token itself can unseal.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, exists, insert, select, update

from idp.caches import read_already
from idp.clients.service import REFRESH_TOKEN, RegisteredClient
from idp.events import ProviderEvent
from idp.grants import service as grants
from idp.grants import state as grant_states
from idp.grants.models import Grant, RefreshToken
from idp.grants.state import GrantState
from idp.protocol import scopes
from idp.protocol.errors import InvalidGrant, InvalidScope
from idp.protocol.parameters import Parameters
from idp.settings import IdentitySettings, current_settings
from idp.token import answer
from idp.token.server import TokenGrant
from kernel.crypto import Vault, constant_time_equal, hash_token, keyed_hash, new_token
from kernel.database import HotStatement, Reads, dialect_of
from kernel.ids import new_id
from tenants.database import db

_TABLE = cast(Table, RefreshToken.__table__)
_LINK = _TABLE.c
_GRANT = Grant.__table__.c
_BY_TOKEN = HotStatement(
    grant_states.with_consent(
        grant_states.COLUMNS.join(RefreshToken.__table__, _LINK.grant_id == _GRANT.id)
    )
    .add_columns(
        _LINK.id.label("link_id"),
        _LINK.expires_at,
        _LINK.chain_expires_at,
        _LINK.spent_at,
        _LINK.spent_on,
        _LINK.answer_sealed,
        grant_states.VERSIONS,
    )
    .where(_LINK.token_hash == bindparam("token_hash"))
)
_NEW = {
    "id": bindparam("new_id", type_=_LINK.id.type),
    "grant_id": bindparam("grant", type_=_LINK.grant_id.type),
    "token_hash": bindparam("hash", type_=_LINK.token_hash.type),
    "created_at": bindparam("now", type_=_LINK.created_at.type),
    "expires_at": bindparam("idle_end", type_=_LINK.expires_at.type),
    "chain_expires_at": bindparam("chain_end", type_=_LINK.chain_expires_at.type),
}
_ADD = HotStatement(insert(_TABLE).values(_NEW))
_SPENDING = (
    update(_TABLE)
    .where(
        _LINK.id == bindparam("link"),
        _LINK.spent_at.is_(None),
        exists(
            select(_GRANT.id).where(_GRANT.id == bindparam("grant"), _GRANT.revoked_at.is_(None))
        ),
    )
    .values(
        spent_at=bindparam("now"), spent_on=bindparam("request"), answer_sealed=bindparam("sealed")
    )
    .returning(_LINK.id)
)
_SPEND = HotStatement(_SPENDING)
# Both in one round and one statement, where the database can (PostgreSQL).
_SPENT = _SPENDING.cte("spent")
_SPEND_AND_ADD = HotStatement(
    insert(_TABLE)
    .from_select([*_NEW], select(*_NEW.values()).select_from(_SPENT), include_defaults=False)
    .returning(_LINK.id)
)
_AHEAD = "klucznik.idp.refresh_tokens"


class Use(NamedTuple):
    """What a refresh token is spent on, and what comes after it."""

    request: bytes
    sealed: bytes
    successor: str


@dataclass(frozen=True)
class Link:
    """A refresh token as it stands in its chain."""

    id: UUID
    grant: GrantState
    expires_at: datetime
    chain_expires_at: datetime
    spent_at: datetime | None
    spent_on: bytes | None
    answer_sealed: bytes | None


class RefreshTokenGrant(TokenGrant):
    """`grant_type=refresh_token`."""

    GRANT_TYPE = REFRESH_TOKEN

    def exchange(self) -> dict[str, Any]:
        request = self.request
        with db.glancing() as glance:
            return trade(glance, request.parameters, client=request.client, now=request.now)


def trade(
    at: Reads, parameters: Parameters, *, client: RegisteredClient, now: datetime
) -> dict[str, Any]:
    """The answer to this request of a client that proved itself; raises OAuthError."""
    return refresh(
        at,
        parameters.get("refresh_token", ""),
        client=client,
        scope=parameters.get("scope"),
        resources=parameters.resources,
        now=now,
    )


def chain_end(
    grant: GrantState, client: RegisteredClient, *, settings: IdentitySettings, now: datetime
) -> datetime | None:
    """When a chain ends that begins now, or None where there are no refresh tokens to be had."""
    if REFRESH_TOKEN not in client.grant_types:
        return None
    if scopes.OFFLINE_ACCESS not in grant.scopes and not client.refresh_without_offline_access:
        return None
    return now + timedelta(days=settings.refresh_token_days)


def begin(
    at: Reads,
    grant: GrantState,
    chain_expires_at: datetime,
    *,
    settings: IdentitySettings,
    now: datetime,
) -> str:
    """The first refresh token of a grant, which has to be kept until the chain ends."""
    token = new_token(256)
    _ADD.rows(at, **_row(grant.id, token, chain_expires_at, settings=settings, now=now))
    return token


def look_ahead(at: Reads, token: str) -> None:
    """Read what `refresh` will look at in the same place, and the caches' versions with it.

    Only reading is done ahead: nothing is decided before the client has proved itself.
    """
    at.info[_AHEAD, token] = _find(at, token)


def refresh(
    at: Reads,
    token: str,
    *,
    client: RegisteredClient,
    scope: str | None = None,
    resources: Sequence[str] = (),
    now: datetime,
) -> dict[str, Any]:
    """New tokens for a refresh token, which is spent by this; raises InvalidGrant."""
    settings = current_settings()
    request = _digest(client.id, scope, resources)
    link = find_standing(at, token, now)
    refusal = why_refuse(link, client.id, now)
    if link is not None and refusal is None:
        refusal = grant_states.why_not_for(client, link.grant)
    if link is None or refusal is not None:
        raise InvalidGrant(refusal or "no such refresh token")

    if link.spent_at is None:
        successor = new_token(256)
        made = answer.for_person(
            link.grant,
            client=client,
            granted=narrowed(link.grant.scopes, scope),
            requested_resources=resources,
            refresh_token=successor,
            # OpenID Connect Core §12.2: a renewed ID token answers no authentication request.
            nonce=None,
            settings=settings,
            now=now,
            at=at,
        )
        use = Use(request, _seal(token, made), successor)
        if _replace(at, link, use, settings=settings, now=now):
            return made
        # Another request with this token was quicker.
        link = _find(at, token) or link
    return _second_use(token, link, client, request, now)


def why_refuse(link: Link | None, client_id: str, now: datetime) -> str | None:
    """Say why this token is no good whether spent or not, or None when it is this client's."""
    if link is None:
        return "no such refresh token"
    if link.grant.client_id != client_id:
        return "refresh token belongs to another client"
    if link.chain_expires_at <= now:
        return "refresh token's chain ended"
    if link.spent_at is None and link.expires_at <= now:
        return "refresh token was unused for too long"
    return grant_states.why_ended(link.grant, now)


def narrowed(granted: Sequence[str], asked: str | None) -> tuple[str, ...]:
    """The scopes of the next access token: what is asked for, if it was granted."""
    if asked is None:
        return tuple(granted)
    wanted = scopes.parse(asked)
    if not wanted or not set(wanted).issubset(granted):
        raise InvalidScope("scope was not granted")
    return wanted


def may_repeat(link: Link, client: RegisteredClient, request: bytes, now: datetime) -> bool:
    """Whether this second use is the same client's same request, sent again at once."""
    if client.is_public or link.spent_at is None or link.spent_on is None:
        return False
    in_time = now - link.spent_at <= timedelta(seconds=client.profile.retry_seconds)
    return in_time and constant_time_equal(link.spent_on, request)


def _second_use(
    token: str, link: Link, client: RegisteredClient, request: bytes, now: datetime
) -> dict[str, Any]:
    if link.spent_at is None:
        # The grant was ended between the look and the update.
        raise InvalidGrant("the grant was revoked")
    if may_repeat(link, client, request, now) and link.answer_sealed is not None:
        return _unseal(token, link.answer_sealed)
    with db.transaction() as session:
        grants.revoke_replayed(
            session, link.grant, event=ProviderEvent.REFRESH_TOKEN_REPLAYED, now=now
        )
    raise InvalidGrant("refresh token was used before")


def find(at: Reads, token: str) -> Link | None:
    """The link of the chain that this token is, with the grant and consents behind it."""
    key = (_AHEAD, token)
    return at.info[key] if key in at.info else _find(at, token)


def find_standing(at: Reads, token: str, now: datetime) -> Link | None:
    """The same with what the person is now in the account of the grant, if it has one."""
    link = find(at, token)
    return (
        replace(link, grant=grant_states.with_standing(at, link.grant, now))
        if link is not None and link.grant.account is not None
        else link
    )


def _find(at: Reads, token: str) -> Link | None:
    rows = _BY_TOKEN.rows(at, token_hash=hash_token(token))
    if not rows:
        return None
    row = rows[0]
    read_already(at, row.versions)
    return Link(
        id=row.link_id,
        grant=grant_states.from_rows(rows),
        expires_at=row.expires_at,
        chain_expires_at=row.chain_expires_at,
        spent_at=row.spent_at,
        spent_on=row.spent_on,
        answer_sealed=row.answer_sealed,
    )


def _replace(at: Reads, link: Link, use: Use, *, settings: IdentitySettings, now: datetime) -> bool:
    """Spend the token and add its successor, if it is still good; one request wins."""
    spent = {
        "link": link.id,
        "grant": link.grant.id,
        "now": now,
        "request": use.request,
        "sealed": use.sealed,
    }
    added = _row(link.grant.id, use.successor, link.chain_expires_at, settings=settings, now=now)
    with db.hot_statement() as changing:
        if dialect_of(at) == "postgresql":
            return _SPEND_AND_ADD.first(changing, **(spent | added)) is not None
        if _SPEND.first(changing, **spent) is None:
            return False
        _ADD.rows(changing, **added)
        return True


def _row(
    grant_id: UUID,
    token: str,
    chain_expires_at: datetime,
    *,
    settings: IdentitySettings,
    now: datetime,
) -> dict[str, Any]:
    idle_end = now + timedelta(days=settings.refresh_token_idle_days)
    return {
        "new_id": new_id(),
        "grant": grant_id,
        "hash": hash_token(token),
        "now": now,
        "idle_end": min(idle_end, chain_expires_at),
        "chain_end": chain_expires_at,
    }


def _digest(client_id: str, scope: str | None, resources: Sequence[str]) -> bytes:
    return keyed_hash(b"refresh request", json.dumps([client_id, scope, *resources]).encode())


def _seal(token: str, made: dict[str, Any]) -> bytes:
    return _vault(token).seal(json.dumps(made).encode(), context="refresh answer")


def _unseal(token: str, sealed: bytes) -> dict[str, Any]:
    return cast(dict[str, Any], json.loads(_vault(token).open(sealed, context="refresh answer")))


def _vault(token: str) -> Vault:
    # We keep only the token's digest, so the answer opens for nobody but who has the token.
    return Vault([keyed_hash(token.encode("utf-8", "surrogatepass"), b"refresh answer")])
