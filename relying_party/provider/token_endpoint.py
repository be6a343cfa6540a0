"""Asking the provider's token endpoint, as the application that we are (RFC 6749 §3.2)."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kernel.observability.logs import get_logger
from kernel.outgoing import Outgoing, OutgoingError
from relying_party.errors import IdentityUnreachable, TokenRefused
from relying_party.provider.client_assertion import ASSERTION_TYPE, ClientKey
from relying_party.provider.published import Provider
from relying_party.signed_tokens import is_plain

log = get_logger(__name__)

_LONGEST_TOKEN = 8_192
_LONGEST_LIFE = 86_400


@dataclass(frozen=True)
class Tokens:
    """What the token endpoint gave."""

    access_token: str
    expires_at: datetime
    refresh_token: str | None
    id_token: str | None


class TokenEndpoint:
    """Trades codes and refresh tokens for tokens."""

    def __init__(self, provider: Provider, client_key: ClientKey, outgoing: Outgoing) -> None:
        self._provider = provider
        self._client_key = client_key
        self._outgoing = outgoing

    def redeem_code(
        self, code: str, *, redirect_uri: str, code_verifier: str, resource: str, now: datetime
    ) -> Tokens:
        """Trade an authorization code; raises TokenRefused or IdentityUnreachable."""
        return self._ask(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": code_verifier,
                "resource": resource,
            },
            now=now,
        )

    def refresh(self, refresh_token: str, *, resource: str, now: datetime) -> Tokens:
        """Trade a refresh token for an access token for one audience (RFC 8707)."""
        return self._ask(
            {
                "grant_type": "refresh_token",
                "refresh_token": refresh_token,
                "resource": resource,
            },
            now=now,
        )

    def _ask(self, fields: dict[str, str], *, now: datetime) -> Tokens:
        metadata = self._provider.metadata(now)
        proof = {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self._client_key.assertion(issuer=metadata.issuer, now=now),
        }
        try:
            response = self._outgoing.post(
                metadata.token_endpoint,
                data=fields | proof,
                headers={"Accept": "application/json"},
            )
        except OutgoingError as failure:
            log.warning("token_endpoint_unreachable", grant_type=fields["grant_type"])
            raise IdentityUnreachable("the token endpoint does not answer") from failure
        return parse(response.status, response.body, now=now)


def parse(status: int, body: bytes, *, now: datetime) -> Tokens:
    """Read a token response; raises TokenRefused or IdentityUnreachable."""
    value = _object(body)
    if status in (400, 401) and isinstance(value.get("error"), str):
        error = value["error"][:100]
        log.info("token_request_refused", error=error)
        raise TokenRefused(error)
    if status != 200:
        raise IdentityUnreachable(f"the token endpoint answered {status}")
    if str(value.get("token_type", "")).lower() != "bearer":
        raise IdentityUnreachable("tokens of a type that we can't use")
    life = value.get("expires_in")
    if not isinstance(life, int) or isinstance(life, bool) or not 0 < life <= _LONGEST_LIFE:
        raise IdentityUnreachable("an access token without a sensible end")
    if not is_plain(value.get("access_token"), longest=_LONGEST_TOKEN):
        raise IdentityUnreachable("no access token that could be sent")
    for name in ("refresh_token", "id_token"):
        if value.get(name) is not None and not is_plain(value[name], longest=_LONGEST_TOKEN):
            raise IdentityUnreachable(f"a malformed {name}")
    return Tokens(
        access_token=value["access_token"],
        expires_at=now + timedelta(seconds=life),
        refresh_token=value.get("refresh_token"),
        id_token=value.get("id_token"),
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise IdentityUnreachable("the token endpoint's answer is not a JSON object")
    return value
