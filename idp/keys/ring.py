"""The keys as a process holds them: parsed once, and asked by the time of day."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from idp.protocol.jwt import TokenKey


@dataclass(frozen=True)
class KeyOnRing:
    """One key, and when it signs. `private` is None once it has served."""

    key: TokenKey
    public_jwk: dict[str, Any]
    signs_from: datetime
    private: TokenKey | None
    withdrawn: bool = False


@dataclass(frozen=True)
class KeyRing:
    """All keys, newest first within an algorithm; `kept_for` is how long an old one is published."""

    keys: Sequence[KeyOnRing]
    kept_for: timedelta

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
        """The published keys as the document's bytes."""
        keys = [held.public_jwk for held in self.published(now)]
        return json.dumps({"keys": keys}, separators=(",", ":")).encode()

    def is_over(self, kid: str, now: datetime) -> bool:
        """Whether this key's last token has ended."""
        return any(held.key.id == kid and self._is_over(held, now) for held in self.keys)

    def _is_over(self, held: KeyOnRing, now: datetime) -> bool:
        later = [
            other.signs_from
            for other in self._of(held.key.algorithm)
            if other.signs_from > held.signs_from
        ]
        return bool(later) and min(later) + self.kept_for <= now

    def _of(self, algorithm: str) -> list[KeyOnRing]:
        return [
            held for held in self.keys if held.key.algorithm == algorithm and not held.withdrawn
        ]

    @cached_property
    def _by_id(self) -> dict[str, TokenKey]:
        return {held.key.id: held.key for held in self.keys if not held.withdrawn}
