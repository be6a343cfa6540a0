"""What a client is told when a request is refused, and what only the log may know."""

import re

from authlib.oauth2 import OAuth2Error

# RFC 6749 §4.1.2.1 and §5.2: these and no others, so neither quotes nor a backslash.
_NOT_ALLOWED = re.compile(r"[^\x20\x21\x23-\x5B\x5D-\x7E]")
_LONGEST_DESCRIPTION = 200


def printable(text: str) -> str:
    r"""The text as `error_description` may hold it.

    >>> printable('prompt "none" with \\ and ż\n')
    'prompt ?none? with ? and ??'
    """
    return _NOT_ALLOWED.sub("?", text)[:_LONGEST_DESCRIPTION]


class OAuthError(OAuth2Error):  # type: ignore[misc]
    """A request that the protocol tells us to refuse.

    The client sees `error` and `description`. `detail` is for our log: it may say which check
    failed, where the client must not learn that.
    """

    error = "server_error"
    status_code = 400

    def __init__(self, description: str = "", *, detail: str = "") -> None:
        super().__init__(description=printable(description))
        self.detail = detail or description

    def as_dict(self) -> dict[str, str]:
        """The members of the JSON body (RFC 6749 §5.2)."""
        return {"error": str(self.error)} | (
            {"error_description": self.description} if self.description else {}
        )


class InvalidRequest(OAuthError):
    error = "invalid_request"


class InvalidClient(OAuthError):
    """The client has not proven who it is. All reasons look the same from outside."""

    error = "invalid_client"
    status_code = 401

    def __init__(self, detail: str = "") -> None:
        super().__init__("client authentication failed", detail=detail)


class InvalidGrant(OAuthError):
    """The code or refresh token is no good; which check failed is for the log."""

    error = "invalid_grant"

    def __init__(self, detail: str = "", *, description: str = "") -> None:
        super().__init__(description or "the grant is not valid", detail=detail)


class UnauthorizedClient(OAuthError):
    error = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    error = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    error = "unsupported_response_type"


class InvalidScope(OAuthError):
    error = "invalid_scope"


class InvalidTarget(OAuthError):
    """RFC 8707 §2: the resource is unknown, or not for this client."""

    error = "invalid_target"


class AccessDenied(OAuthError):
    error = "access_denied"


class LoginRequired(OAuthError):
    error = "login_required"


class ConsentRequired(OAuthError):
    error = "consent_required"


class InteractionRequired(OAuthError):
    error = "interaction_required"


class RequestNotSupported(OAuthError):
    error = "request_not_supported"


class RequestUriNotSupported(OAuthError):
    error = "request_uri_not_supported"


class InvalidToken(OAuthError):
    """RFC 6750 §3.1: the access token opens nothing here."""

    error = "invalid_token"
    status_code = 401

    def __init__(self, detail: str = "") -> None:
        super().__init__("the access token is not valid", detail=detail)


class InsufficientScope(OAuthError):
    error = "insufficient_scope"
    status_code = 403
