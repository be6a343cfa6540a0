"""Whether this process should get requests: it can reach its database and is not going down."""

import threading
from collections.abc import Callable

from kernel.observability.logs import get_logger

log = get_logger(__name__)

Check = Callable[[], bool]


class Health:
    """The checks of one program."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._draining = threading.Event()

    def add(self, name: str, check: Check) -> None:
        """Ask `check` too before saying that we are ready."""
        self._checks[name] = check

    def drain(self) -> None:
        """Say «not ready» from now on: the process is about to end, requests should go elsewhere."""
        self._draining.set()

    @property
    def draining(self) -> bool:
        return self._draining.is_set()

    def failing(self) -> list[str]:
        """The names of the checks that fail, without the reasons, which only the log gets."""
        return [name for name, check in self._checks.items() if not _passes(name, check)]


def _passes(name: str, check: Check) -> bool:
    try:
        return check()
    except Exception as failure:
        log.warning("health_check_failed", check=name, error=type(failure).__name__)
        return False
