"""How many requests may still come, counted before anything is done, and said in every answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from kernel.api.gate import Quota
from kernel.api.problems import TooMany
from kernel.database import Database
from kernel.limits import Limits, Refusal, Taken


@dataclass(frozen=True)
class Left:
    """What is left of a quota."""

    quota: Quota
    remaining: int
    seconds: int


def take(
    db: Database, limits: Limits, quotas: Sequence[Quota], *, now: datetime
) -> tuple[tuple[Left, ...], TooMany | None]:
    """Count one request against each of them; says what is left, and whether it may go on."""
    left: list[Left] = []
    with db.hot_transaction() as transaction:
        for quota in quotas:
            taken = limits.take_in(transaction, key=quota.key, policy=quota.window, now=now)
            left.append(_left(quota, taken, now))
            if isinstance(taken, Refusal):
                wait = taken.retry_after(now)
                return tuple(left), TooMany(quota.window.name, retry_after=wait)
    return tuple(left), None


def headers(left: Sequence[Left]) -> list[tuple[str, str]]:
    """What is left, as the draft of the RateLimit fields spells it."""
    if not left:
        return []
    policies = (
        f'"{one.quota.window.name}";q={one.quota.window.limit}'
        f";w={int(one.quota.window.every.total_seconds())}"
        for one in left
    )
    states = (f'"{one.quota.window.name}";r={one.remaining};t={one.seconds}' for one in left)
    return [("RateLimit-Policy", ", ".join(policies)), ("RateLimit", ", ".join(states))]


def _left(quota: Quota, taken: Taken | Refusal, now: datetime) -> Left:
    if isinstance(taken, Refusal):
        return Left(quota, 0, taken.retry_after(now))
    seconds = max(1, round((taken.ends_at - now).total_seconds()))
    return Left(quota, max(0, quota.window.limit - taken.count), seconds)
