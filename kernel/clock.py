"""The time, asked for in one place.

Only the edges (views, the command line, workers) call `now`; everything inside takes the time as
an argument, so that a test can state noon and never sleeps.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)
