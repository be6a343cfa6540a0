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


def until_done(clean: Callable[[], int], *, batch: int = 500) -> int:
    """Remove batch by batch until one is not full; says how much it was.

    One batch a round would fall behind whoever makes rows faster, for good.
    """
    removed = last = clean()
    while last >= batch:
        last = clean()
        removed += last
    return removed
