"""Proving that a client is itself (RFC 6749 §2.3, RFC 7523, OpenID Connect Core §9).

`read` finds out what a request presents, `authenticate` whether it proves anything.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from idp.clients import service as clients
from idp.clients.models import SpentAssertion
from idp.clients.remote_keys import remote_keys
from idp.clients.service import NONE, PRIVATE_KEY_JWT, SECRET_BASIC, SECRET_POST, RegisteredClient
from idp.protocol import jwt
from idp.protocol.errors import InvalidClient, InvalidRequest
from kernel.crypto import constant_time_equal, hash_token
from kernel.database import Reads, dialect_of, upsert
from tenants.database import db

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_LONGEST_HEADER = 4_000
_LONGEST_JTI = 255
_LONGEST_LIFE_SECONDS = 300
_CLOCK_SKEW_SECONDS = 60


@dataclass(frozen=True)
class Presented:
    """What a request brought to prove the client with, by exactly one method."""

    client_id: str
    method: str
    proof: str = ""
    """The secret or the assertion."""


def read(authorization: str | None, parameters: Mapping[str, str]) -> Presented:
    """What the request presents; raises InvalidRequest for two methods, InvalidClient for none."""
    ways = [
        name
        for name, used in (
            (SECRET_BASIC, bool(authorization)),
            (SECRET_POST, "client_secret" in parameters),
            (
                PRIVATE_KEY_JWT,
                "client_assertion" in parameters or "client_assertion_type" in parameters,
            ),
        )
        if used
    ]
    if len(ways) > 1:
        raise InvalidRequest("more than one client authentication method")
    client_id = parameters.get("client_id", "")
    match ways:
        case [way] if way == SECRET_BASIC:
            return _read_basic(authorization or "", client_id)
        case [way] if way == SECRET_POST:
            return Presented(client_id, SECRET_POST, parameters["client_secret"])
        case [way]:
            return _read_assertion(parameters, client_id)
    if not client_id:
        raise InvalidClient("no client_id")
    return Presented(client_id, NONE)


def authenticate(presented: Presented, *, issuer: str, now: datetime) -> RegisteredClient:
    """The client that this proves to be; raises InvalidClient.

    A private_key_jwt assertion is spent in a transaction of its own: it opens one request only,
    whatever becomes of that request.
    """
    with db.glancing() as glance:
        client = find_with_right_method(glance, presented)
    if presented.method == PRIVATE_KEY_JWT:
        _check_assertion(client, presented.proof, issuer=issuer, now=now)
    else:
        _check_secret(client, presented, now)
    return client


def authenticate_within(at: Reads, presented: Presented, *, now: datetime) -> RegisteredClient:
    """The same for secrets and public clients, where the caller reads already.

    This is the way of the hottest requests. An assertion proves nothing here.
    """
    if presented.method == PRIVATE_KEY_JWT:
        raise InvalidClient("an assertion has to be spent first")
    client = find_with_right_method(at, presented)
    _check_secret(client, presented, now)
    return client


def find_with_right_method(at: Reads, presented: Presented) -> RegisteredClient:
    """The client that the request names, if it is registered for the method used."""
    client = clients.find(at, presented.client_id)
    if client is None:
        raise InvalidClient("unknown or disabled client")
    if client.token_endpoint_auth_method != presented.method:
        raise InvalidClient(f"registered for {client.token_endpoint_auth_method}")
    return client


def _check_secret(client: RegisteredClient, presented: Presented, now: datetime) -> None:
    if presented.method == NONE:
        return
    digest = hash_token(presented.proof)
    for secret in client.secrets:
        alive = secret.expires_at is None or now < secret.expires_at
        if constant_time_equal(digest, secret.digest) and alive:
            return
    raise InvalidClient("wrong secret")


def _read_basic(header: str, client_id: str) -> Presented:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic" or len(header) > _LONGEST_HEADER:
        raise InvalidClient("authorization is not Basic")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
        name, colon, secret = text.partition(":")
        # RFC 6749 §2.3.1: both are form-encoded before they become user name and password.
        name, secret = unquote_plus(name, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, ValueError) as broken:
        raise InvalidClient("Basic header can't be read") from broken
    if not colon or not name or "\x00" in name:
        raise InvalidClient("Basic header without name or secret")
    if client_id and client_id != name:
        raise InvalidRequest("client_id differs from the authorization header")
    return Presented(name, SECRET_BASIC, secret)


def _read_assertion(parameters: Mapping[str, str], client_id: str) -> Presented:
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        raise InvalidClient("client_assertion_type is not jwt-bearer")
    assertion = parameters.get("client_assertion", "")
    try:
        named = jwt.read_unverified_claims(assertion).get("sub")
    except jwt.NotBelieved as unread:
        raise InvalidClient(f"assertion: {unread}") from unread
    if not isinstance(named, str) or not named or "\x00" in named or len(named) > 64:
        raise InvalidClient("assertion names no client")
    if client_id and client_id != named:
        raise InvalidRequest("client_id differs from the client assertion")
    return Presented(named, PRIVATE_KEY_JWT, assertion)


def _check_assertion(
    client: RegisteredClient, assertion: str, *, issuer: str, now: datetime
) -> None:
    try:
        claims = _verified(client, assertion, now)
    except jwt.NotBelieved as unproven:
        raise InvalidClient(f"assertion: {unproven}") from unproven
    audiences = acceptable_audiences(client, issuer)
    refusal = why_refuse_assertion(claims, client_id=client.id, audiences=audiences, now=now)
    if refusal:
        raise InvalidClient(f"assertion: {refusal}")
    if not _spend(client.id, claims, now):
        raise InvalidClient("assertion: jti was used before")


def acceptable_audiences(client: RegisteredClient, issuer: str) -> tuple[str, ...]:
    """What `aud` of an assertion may say; old clients name the token endpoint."""
    if client.profile.assertion_may_name_token_endpoint:
        return (issuer, f"{issuer}/token")
    return (issuer,)


def why_refuse_assertion(
    claims: Mapping[str, Any], *, client_id: str, audiences: Sequence[str], now: datetime
) -> str | None:
    """Say why these verified claims prove nothing, or None when they do."""
    if claims.get("sub") != client_id:
        return "another subject"
    if claims.get("aud") not in audiences:
        return "aud is not our issuer as one string"
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
        return "no jti"
    expires = jwt.numeric_date(claims, "exp") or 0.0
    if expires > now.timestamp() + _LONGEST_LIFE_SECONDS + _CLOCK_SKEW_SECONDS:
        return "lives too long"
    return None


def _verified(client: RegisteredClient, assertion: str, now: datetime) -> dict[str, Any]:
    header = jwt.read_header(assertion)
    keys = _keys(client, header.get("kid"), now)
    candidates = [key for key in keys if key.algorithm == header["alg"] and _may_be(key, header)]
    refused: jwt.NotBelieved = jwt.NotBelieved("no key with this kid")
    for key in candidates:
        try:
            return jwt.verify(
                assertion,
                find_key=lambda _kid, key=key: key,  # type: ignore[misc]
                typ=(None, "JWT", jwt.CLIENT_ASSERTION),
                issuer=client.id,
                audience=None,
                now=now,
                skew=_CLOCK_SKEW_SECONDS,
            )
        except jwt.NotBelieved as unproven:
            refused = unproven
    raise refused


def _keys(client: RegisteredClient, kid: str | None, now: datetime) -> tuple[jwt.TokenKey, ...]:
    if client.jwks_uri is not None:
        return remote_keys().of(client.jwks_uri, kid=kid, now=now)
    return client.own_keys


def _may_be(key: jwt.TokenKey, header: Mapping[str, Any]) -> bool:
    # A client that publishes its keys without names can't name them in its assertions either.
    return key.id in ("", header.get("kid")) or "kid" not in header


def _spend(client_id: str, claims: Mapping[str, Any], now: datetime) -> bool:
    """Note the `jti` for as long as the assertion could be believed; False if it is known."""
    expires = jwt.numeric_date(claims, "exp") or now.timestamp()
    with db.transaction() as session:
        noted = session.execute(
            upsert(dialect_of(session), SpentAssertion)
            .values(
                client_id=client_id,
                jti_hash=hash_token(str(claims["jti"])),
                expires_at=datetime.fromtimestamp(expires + 2 * _CLOCK_SKEW_SECONDS, tz=UTC),
            )
            .on_conflict_do_nothing()
            .returning(SpentAssertion.client_id)
        )
        return noted.first() is not None
