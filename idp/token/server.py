"""Authlib's AuthorizationServer as the skeleton of the token endpoint.

It finds the grant and turns refusals into answers. Who the client is, what a grant demands and how
it is spent are ours, in the grant's own module.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, BaseGrant, OAuth2Request, TokenEndpointMixin
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from idp.client_requests import challenge
from idp.clients import authentication
from idp.clients.service import RegisteredClient
from idp.protocol.errors import OAuthError, UnauthorizedClient, UnsupportedGrantType
from idp.protocol.parameters import Parameters
from kernel.observability.logs import get_logger

log = get_logger(__name__)


class TokenRequest(OAuth2Request):  # type: ignore[misc]
    """A request as the grants see it: parsed, and without a web framework."""

    def __init__(
        self, parameters: Parameters, *, authorization: str | None, issuer: str, now: datetime
    ) -> None:
        # Authlib's own constructor looks at the address and refuses plain http on loopback.
        self.method = "POST"
        self.payload = BasicOAuth2Payload(dict(parameters))
        self.parameters = parameters
        self.authorization = authorization
        self.issuer = issuer
        self.now = now
        self.client: RegisteredClient


@dataclass(frozen=True)
class TokenAnswer:
    """What goes back to the client."""

    status: int
    body: dict[str, Any]
    headers: Sequence[tuple[str, str]]


def refused(error: OAuthError) -> TokenAnswer:
    """What the client is told; what only we may know goes to the log."""
    log.info("token_refused", error=error.error, detail=error.detail)
    return TokenAnswer(error.status_code, error.as_dict(), challenge(error))


class TokenGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """What all grants have in common: a client that proved itself and may use the grant."""

    request: TokenRequest

    def validate_token_request(self) -> None:
        request = self.request
        presented = authentication.read(request.authorization, request.parameters)
        request.client = authentication.authenticate(
            presented, issuer=request.issuer, now=request.now
        )
        permit(request.client, self.GRANT_TYPE)

    def create_token_response(self) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
        return 200, self.exchange(), []

    def exchange(self) -> dict[str, Any]:
        """The members of the answer; raises OAuthError."""
        raise OAuthError(f"{type(self).__name__} has nothing to give")


def permit(client: RegisteredClient, grant_type: str) -> None:
    """Raise UnauthorizedClient when the client is not registered for this grant."""
    if grant_type not in client.grant_types:
        raise UnauthorizedClient("the client may not use this grant")


class TokenServer(AuthorizationServer):  # type: ignore[misc]
    """The skeleton, told where our parts are."""

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        return request

    def handle_response(
        self, status: int, body: dict[str, Any], headers: Sequence[tuple[str, str]]
    ) -> TokenAnswer:
        return TokenAnswer(status, body, headers)

    def handle_error_response(self, request: TokenRequest, error: OAuth2Error) -> TokenAnswer:
        if not isinstance(error, OAuthError):
            # Authlib's own words may repeat what the client sent.
            error = UnsupportedGrantType("this grant_type is not supported")
        return refused(error)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""
