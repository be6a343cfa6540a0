"""How much is too much: fixed windows, and delays that grow with each failure in a row."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    """At most `limit` in each span of time, which begins with the first try.

    The name keeps counts apart: one key under two policies is counted twice.
    """

    name: str
    limit: int
    every: timedelta

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError("a limit below one is a switch, not a limit")


@dataclass(frozen=True)
class Delays:
    """Tries in a row without a success: some are free, then each next one has to wait longer.

    After the `ceiling` nothing is accepted until the count is cleared, by recovery.
    """

    name: str
    free: int = 5
    first: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(minutes=15)
    ceiling: int = 100
    # Failures count as «in a row» for so long after the last of them; below the ceiling only.
    remembered: timedelta = field(default=timedelta(days=365))

    def __post_init__(self) -> None:
        if not 1 <= self.free < self.ceiling:
            raise ValueError("the free tries are at least one and fewer than the ceiling")

    def delay_after(self, count: int) -> timedelta:
        """How long one waits after so many failures in a row.

        >>> [int(Delays("sign-in").delay_after(count).total_seconds()) for count in range(4, 12)]
        [0, 30, 60, 120, 240, 480, 900, 900]
        """
        if count < self.free:
            return timedelta(0)
        # Beyond 2^32 the delay has long reached its longest.
        return min(self.first * (1 << min(count - self.free, 32)), self.longest)

    def steps(self) -> list[tuple[int, timedelta]]:
        """The counts at which the delay changes, rising, with the delay from there on."""
        steps = [(self.free, self.delay_after(self.free))]
        while steps[-1][1] < self.longest and steps[-1][0] + 1 < self.ceiling:
            count = steps[-1][0] + 1
            steps.append((count, self.delay_after(count)))
        return steps


LimitPolicy = Window | Delays
