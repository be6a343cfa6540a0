"""Who may pass: what operations demand, and the gate that the program hands in to enforce it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from kernel.limits import Window

Caller = TypeVar("Caller")


@dataclass(frozen=True)
class Demand:
    """What an operation demands of who asks."""

    permission: str | None
    """None: whoever is who they say; the words then say what that reaches."""
    words: str
    """The same in a sentence, for the description."""
    schemes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Ways to prove oneself that are taken here, with the scopes that each needs."""


@dataclass(frozen=True)
class Quota:
    """Requests that are counted together, and how many of them may come."""

    key: str
    window: Window


class Gate(Protocol[Caller]):
    """Decides about every request before anything is read of its body."""

    def who(self, authorization: str | None, *, now: datetime) -> Caller:
        """Who asks; raises Unauthenticated."""
        ...

    def name(self, caller: Caller) -> str:
        """Whose requests these are, where one is told from others."""
        ...

    def quotas(self, caller: Caller) -> Sequence[Quota]:
        """What this request is counted against, the narrowest first."""
        ...

    def admit(self, caller: Caller, demand: Demand, place: Mapping[str, Any]) -> None:
        """Let the caller through to this place (the gaps of the path); raises NotFound, Forbidden."""
        ...
