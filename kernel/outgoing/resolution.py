"""Looking a name up, once and not for ever."""

import socket
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate

from kernel.outgoing.addresses import Rules, Target, is_public
from kernel.outgoing.errors import OutgoingFailed, OutgoingRefused

# The system's look-up can't be interrupted; it is left behind in one of these.
_lookups = ThreadPoolExecutor(max_workers=8, thread_name_prefix="outgoing-lookup")


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
    answer: Future[list[str]] = _lookups.submit(_ask_system, target.host, target.port)
    try:
        addresses = answer.result(timeout=max(seconds, 0.0))
    except TooLate as late:
        answer.cancel()
        raise OutgoingFailed("the name was not found in time") from late
    except (OSError, UnicodeError) as unknown:
        raise OutgoingFailed("the name was not found") from unknown
    if not addresses:
        raise OutgoingFailed("the name has no address")
    return addresses


def _ask_system(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # An address may carry the zone of a link («fe80::1%2»); it is refused later as it stands.
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
