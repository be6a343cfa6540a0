"""Looking a name up, once and not for ever."""

import socket
import threading
import time
from queue import Empty, SimpleQueue

from kernel.outgoing.addresses import Rules, Target, is_public
from kernel.outgoing.errors import OutgoingNowhere, OutgoingRefused

# Names that are being looked up at once.
_lookups = threading.BoundedSemaphore(16)


def addresses_of(target: Target, rules: Rules, *, seconds: float) -> list[str]:
    """The addresses that a connection may go to; raises when one of them is not public.

    What comes back is connected to as it is: a second look-up could answer something else.
    """
    fixed = (rules.resolve or {}).get(target.host)
    addresses = [fixed] if fixed else _look_up(target, seconds)
    if not rules.allows(target) and not all(map(is_public, addresses)):
        raise OutgoingRefused("not a public address")
    return addresses


def _look_up(target: Target, seconds: float) -> list[str]:
    ends = time.monotonic() + seconds
    places = _lookups
    if not places.acquire(timeout=max(seconds, 0.0)):
        raise OutgoingNowhere("too many names are being looked up")
    answer: SimpleQueue[list[str] | Exception] = SimpleQueue()
    # The system's look-up can't be interrupted: it is left behind, and keeps nobody from ending.
    threading.Thread(
        target=_answer, args=(answer, target, places), name="outgoing-lookup", daemon=True
    ).start()
    try:
        addresses = answer.get(timeout=max(ends - time.monotonic(), 0.0))
    except Empty as late:
        raise OutgoingNowhere("the name was not found in time") from late
    if isinstance(addresses, Exception):
        raise OutgoingNowhere("the name was not found") from addresses
    if not addresses:
        raise OutgoingNowhere("the name has no address")
    return addresses


def _answer(
    answer: "SimpleQueue[list[str] | Exception]",
    target: Target,
    places: threading.BoundedSemaphore,
) -> None:
    try:
        answer.put(_ask_system(target.host, target.port))
    except Exception as unknown:
        answer.put(unknown)
    finally:
        places.release()


def _ask_system(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # An address may carry the zone of a link («fe80::1%2»); it is refused later as it stands.
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
