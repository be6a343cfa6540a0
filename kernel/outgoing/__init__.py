"""Outgoing HTTP: the one client for every address that somebody else wrote down.

`Outgoing(settings).get(url)` and `.post(url, data=…)`. https only, to public addresses only, to the
address that was checked, without redirects, proxies or patience. The operator lists the hosts for
which that is too strict. `addresses` decides who may be asked, `connection` asks.
"""

from kernel.outgoing.client import Outgoing, Response
from kernel.outgoing.errors import OutgoingError, OutgoingFailed, OutgoingNowhere, OutgoingRefused

__all__ = [
    "Outgoing",
    "OutgoingError",
    "OutgoingFailed",
    "OutgoingNowhere",
    "OutgoingRefused",
    "Response",
]
