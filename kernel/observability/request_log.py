"""The line that each answered request leaves in the log, as cheap as a line can be.

It is written far more often than all others together, so it does not pass the processors of
`logs`: what varies little is prepared once, and what varies always can't hold a secret.
"""

import json
import logging
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted

from kernel.observability import logs

_logger = logging.getLogger(__name__)
_LONGEST_METHOD = 20


def write(
    *, program: str, request_id: str, method: str, route: str, status: int, seconds: float
) -> None:
    """Log one answered request. `route` is the rule, never the path that was asked for."""
    if not _logger.isEnabledFor(logging.INFO):
        return
    moment = datetime.now(UTC).isoformat(timespec="microseconds")[:-6]
    logs.write_line(
        f"{_beginning(program, route, method, status)}"
        f'"milliseconds": {seconds * 1000:.1f}, '
        f'"request_id": {quoted(request_id)}, "timestamp": "{moment}Z"}}\n'
    )


# Bounded: a client may ask with any method.
@lru_cache(maxsize=2_000)
def _beginning(program: str, route: str, method: str, status: int) -> str:
    """The fields that come round again and again, open at the end."""
    fields = {
        "event": "request",
        "method": method[:_LONGEST_METHOD],
        "route": route,
        "status": status,
        "level": "info",
        "logger": __name__,
        **({"program": program} if program else {}),
    }
    clean = logs.encode_controls(None, "info", logs.hide_secrets(None, "info", fields))
    return json.dumps(clean)[:-1] + ", "
