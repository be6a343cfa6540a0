"""What can go wrong between an application and the identity program."""

from kernel.errors import KlucznikError, Refused


class IdentityUnreachable(KlucznikError):
    """The identity program did not answer, or not in a way that makes sense: try again."""

    status = 503
    reason = "identity_unreachable"
    retry_after = 5


class AccessTokenOver(IdentityUnreachable):
    """The identity program no longer takes this access token; a renewed one may be good."""


class SignInFailed(Refused):
    """The browser came back with something that signs nobody in. Starting again may help."""

    reason = "sign_in_failed"


class AttemptUnknown(SignInFailed):
    """No sign-in of this browser is waiting for this answer: too old, used, or somebody else's."""

    reason = "sign_in_expired"


class SignInDeclined(SignInFailed):
    """The identity program says no; `error` is its code, `access_denied` where the person did."""

    reason = "sign_in_declined"

    def __init__(self, error: str, *, in_account: bool = False) -> None:
        super().__init__(f"the provider answered {error}")
        self.error = error
        self.in_account = in_account
        """Whether one account was asked for."""


class TokenInvalid(KlucznikError):
    """A signed token is not what it should be; the detail says which check failed."""


class TokenRefused(KlucznikError):
    """The token endpoint refused; `error` is its code."""

    def __init__(self, error: str) -> None:
        super().__init__(f"the token endpoint answered {error}")
        self.error = error


class SessionOver(KlucznikError):
    """The session that was to be used has ended: here, or at the identity program."""


class ContextOver(Refused):
    """The person does not work in this account or company, or no longer does."""

    status = 403
    reason = "no_access"


class NoGrant(SessionOver):
    """The session has nothing to show in this context: it has not been to the provider for it yet."""


class MayNot(Refused):
    """The person works here, without the permission that this takes."""

    status = 403
    reason = "permission_missing"


class EventRefused(Refused):
    """A security event token that has no effect; `reason` is the code of RFC 8935 §2.4."""

    reason = "invalid_request"

    def __init__(self, detail: str, *, reason: str = "invalid_request") -> None:
        super().__init__(detail)
        self.reason = reason


class LogoutRefused(Refused):
    """A logout token that ends nothing."""

    reason = "invalid_request"


class ApiUnreachable(KlucznikError):
    """Another program's API did not answer, or not in a way that makes sense."""

    status = 503
    reason = "api_unreachable"
    retry_after = 5
