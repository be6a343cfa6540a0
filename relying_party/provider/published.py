"""What the provider publishes, kept for a while in this process: its metadata and its keys."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc.jwk import Key

from kernel.observability.logs import get_logger
from kernel.outgoing import Outgoing, OutgoingError
from relying_party.errors import IdentityUnreachable, TokenInvalid
from relying_party.provider import metadata, published_keys
from relying_party.provider.metadata import Metadata

log = get_logger(__name__)

FRESH = timedelta(minutes=10)
# When the provider doesn't answer, what we know is good for this much longer.
STALE = timedelta(hours=1)
# An unknown key id asks for the keys again, but nobody makes us ask all the time with made-up ids.
COOL_DOWN = timedelta(seconds=10)
# After a failure others don't queue up behind the same silence.
PAUSE = timedelta(seconds=2)


@dataclass(frozen=True)
class _Copy:
    metadata: Metadata
    keys: dict[str, Key]
    fetched_at: datetime


class Provider:
    """One issuer's metadata and keys. Fetched by one thread at a time, when somebody needs them."""

    def __init__(self, issuer: str, *, algorithm: str, outgoing: Outgoing) -> None:
        self.issuer = issuer
        self.algorithm = algorithm
        self._outgoing = outgoing
        self._lock = threading.Lock()
        self._copy: _Copy | None = None
        self._failed_at: datetime | None = None

    def metadata(self, now: datetime) -> Metadata:
        """Where the provider's endpoints are; raises IdentityUnreachable."""
        return self._current(now).metadata

    def key(self, kid: str, now: datetime) -> Key:
        """The public key with this id; raises TokenInvalid when the provider has none such."""
        copy = self._current(now)
        if kid not in copy.keys and now - copy.fetched_at >= COOL_DOWN:
            copy = self._fetched(now, newer_than=copy.fetched_at)
        if kid not in copy.keys:
            raise TokenInvalid("no key of the provider has this id")
        return copy.keys[kid]

    def _current(self, now: datetime) -> _Copy:
        copy = self._copy
        if copy is not None and now - copy.fetched_at < FRESH:
            return copy
        try:
            return self._fetched(now, newer_than=copy.fetched_at if copy else None)
        except IdentityUnreachable:
            if copy is None or now - copy.fetched_at >= FRESH + STALE:
                raise
            return copy

    def _fetched(self, now: datetime, *, newer_than: datetime | None) -> _Copy:
        with self._lock:
            copy = self._copy
            if copy is not None and (newer_than is None or copy.fetched_at > newer_than):
                return copy
            if self._failed_at is not None and timedelta(0) <= now - self._failed_at < PAUSE:
                raise IdentityUnreachable("the provider did not answer a moment ago")
            try:
                described = metadata.parse(
                    self._get(self.issuer + metadata.PATH), issuer=self.issuer
                )
                keys = published_keys.parse(self._get(described.jwks_uri), algorithm=self.algorithm)
            except IdentityUnreachable as failure:
                self._failed_at = now
                log.warning("provider_unreachable", detail=failure.detail)
                raise
            self._failed_at = None
            self._copy = _Copy(described, keys, now)
            return self._copy

    def _get(self, url: str) -> bytes:
        try:
            response = self._outgoing.get(url, headers={"Accept": "application/json"})
        except OutgoingError as failure:
            raise IdentityUnreachable("the provider does not answer") from failure
        if response.status != 200:
            raise IdentityUnreachable(f"the provider answered {response.status}")
        return response.body
