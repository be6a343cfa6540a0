"""What can go wrong with a request to the outside."""

from kernel.errors import KlucznikError


class OutgoingError(KlucznikError):
    """A request to the outside came to nothing."""


class OutgoingFailed(OutgoingError):
    """There is no answer that we take: unreachable, too slow, too large, not HTTP."""


class OutgoingRefused(OutgoingFailed):
    """We did not ask: the address is none that a request may go to."""


class OutgoingNowhere(OutgoingFailed):
    """The name of the host leads to no address, as far as we could find out."""
