"""The keys as a process holds them: parsed once, and asked by the time of day."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from idp.protocol.jwt import TokenKey

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class KeyOnRing:
    """One key, and when it signs. `private` is None once it has served."""

    key: TokenKey
    public_jwk: dict[str, Any]
    signs_from: datetime
    private: TokenKey | None
    withdrawn: bool = False


@dataclass(frozen=True)
class _Document:
    text: bytes
    since: datetime
    until: datetime


@dataclass(frozen=True)
class KeyRing:
    """All keys, newest first within an algorithm; `kept_for` is how long an old one is published."""

    keys: Sequence[KeyOnRing]
    kept_for: timedelta
    _ready: "list[_Document]" = field(default_factory=list, init=False, compare=False, repr=False)

    def signing(self, algorithm: str, now: datetime) -> TokenKey | None:
        """The key that signs with this algorithm now: the newest one whose time has come."""
        for held in self._of(algorithm):
            if held.signs_from <= now and held.private is not None:
                return held.private
        return None

    def newest(self, algorithm: str) -> KeyOnRing | None:
        """The key that signs now or will sign next."""
        return next(iter(self._of(algorithm)), None)

    def find(self, kid: str | None) -> TokenKey | None:
        """The key that a token of ours names. A withdrawn one is found no more."""
        return self._by_id.get(kid or "")

    def published(self, now: datetime) -> list[KeyOnRing]:
        """What /jwks shows: the keys in use, those to come, and those whose tokens still live."""
        return [held for held in self.keys if not held.withdrawn and not self._is_over(held, now)]

    def jwks(self, now: datetime) -> bytes:
        """The published keys as the document's bytes, kept until the next key goes."""
        for ready in self._ready:
            if ready.since <= now < ready.until:
                return ready.text
        keys = [held.public_jwk for held in self.published(now)]
        text = json.dumps({"keys": keys}, separators=(",", ":")).encode()
        ends = [end for held in self.keys if (end := self._end(held)) is not None and end > now]
        self._ready[:] = [_Document(text, now, min(ends, default=_NEVER))]
        return text

    def is_over(self, kid: str, now: datetime) -> bool:
        """Whether this key's last token has ended."""
        return any(held.key.id == kid and self._is_over(held, now) for held in self.keys)

    def _is_over(self, held: KeyOnRing, now: datetime) -> bool:
        end = self._end(held)
        return end is not None and end <= now

    def _end(self, held: KeyOnRing) -> datetime | None:
        """When this key's last token has ended; None while no key follows it."""
        later = [
            other.signs_from
            for other in self._of(held.key.algorithm)
            if other.signs_from > held.signs_from
        ]
        return min(later) + self.kept_for if later else None

    def _of(self, algorithm: str) -> list[KeyOnRing]:
        return [
            held for held in self.keys if held.key.algorithm == algorithm and not held.withdrawn
        ]

    @cached_property
    def algorithms(self) -> frozenset[str]:
        """Those for which there is a key."""
        return frozenset(held.key.algorithm for held in self.keys if not held.withdrawn)

    @cached_property
    def _by_id(self) -> dict[str, TokenKey]:
        return {held.key.id: held.key for held in self.keys if not held.withdrawn}
