"""Work that comes round again and again, done by a program's worker."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Job:
    """Something to do every so often. It runs in an application context and gets the time."""

    name: str
    every: timedelta
    run: Callable[[datetime], object]
