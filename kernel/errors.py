"""Errors with two faces: what a person may be told, and what the log should know."""


class KlucznikError(Exception):
    """The root of every error that we raise on purpose.

    `detail` is for the log. It may say which check failed, and the person must not learn that.
    """

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class Misconfigured(KlucznikError):
    """The program can't start as it is set up; the detail tells the operator what to change."""


class Refused(KlucznikError):
    """A request that can't be carried out: 4xx, nothing issued, nothing changed.

    `reason` is a stable code in plain ASCII (`link_expired`), for programs and for tests; the
    words that a person reads belong to the view that shows them.
    """

    status = 400
    reason = "refused"


class NotFound(Refused):
    """What was asked for does not exist, or is none of the asker's business: the same answer."""

    status = 404
    reason = "not_found"


class VersionConflict(Refused):
    """The object was changed since the asker read it: their version is no longer the current one."""

    status = 412
    reason = "version_conflict"


class TooManyTries(Refused):
    """A limit has been reached. `retry_after` is in whole seconds."""

    status = 429
    reason = "too_many_tries"

    def __init__(self, detail: str = "", *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Overloaded(KlucznikError):
    """Too much is going on at once; the same request may go through in `retry_after` seconds."""

    status = 503
    reason = "overloaded"

    def __init__(self, detail: str = "", *, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
