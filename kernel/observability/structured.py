"""structlog, without the library that it would bring along for a developer's console.

Every program would load it at its start and keep it: 7 MB for lines that none of them writes.
"""

import sys
from importlib import import_module

_CONSOLE = "rich"


def _load_without_console() -> None:
    if _CONSOLE in sys.modules:
        import_module("structlog")
        return
    # To the import system, a module of which it knows «None» is not there.
    sys.modules[_CONSOLE] = None  # type: ignore[assignment]
    try:
        import_module("structlog")
    finally:
        del sys.modules[_CONSOLE]


_load_without_console()

import structlog  # noqa: E402 (by now it is loaded)
from structlog.typing import EventDict, Processor, WrappedLogger  # noqa: E402

__all__ = ["EventDict", "Processor", "WrappedLogger", "structlog"]
