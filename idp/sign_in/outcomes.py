"""What can come of a try."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from idp.sign_in.completion import Cookies
from kernel.limits import Refusal
from kernel.observability.metrics import counter

_tries = counter("sign_in_tries_total", "Tries at a factor", ["factor", "outcome"])


@dataclass(frozen=True)
class Proved:
    """It was right. With cookies, the person is signed in; without, another proof is missing."""

    cookies: Cookies | None


@dataclass(frozen=True)
class Wrong:
    """It was not right, and nobody learns why."""


@dataclass(frozen=True)
class Exhausted:
    """Too many wrong codes: back to the password, in another flow."""

    flow_id: UUID


@dataclass(frozen=True)
class Throttled:
    """Too many tries. Waiting helps, unless it is for good; then a reset does."""

    retry_after: int
    for_good: bool

    @classmethod
    def by(cls, refusal: Refusal, now: datetime) -> Self:
        return cls(refusal.retry_after(now), refusal.for_good)


def count_outcome(factor: str, outcome: str) -> None:
    """Count for the operator; both words are from small closed sets."""
    _tries.labels(factor, outcome).inc()
