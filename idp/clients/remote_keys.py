"""Keys that a client publishes at its `jwks_uri`: fetched when needed, kept for a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from flask import current_app

from idp.clients.service import read_keys
from idp.protocol.jwt import TokenKey
from idp.settings import current_settings
from kernel.outgoing import Outgoing, OutgoingError

KEPT_FOR = timedelta(minutes=10)
# A client that has just changed its key is believed after this long (OIDC.md §3 allows 60 s), and
# nobody makes us fetch more often.
ASKED_AT_MOST_EVERY = timedelta(seconds=10)

_EXTENSION = "klucznik.idp.remote_keys"
_MOST = 1_000


@dataclass(frozen=True)
class _Fetched:
    keys: tuple[TokenKey, ...]
    at: datetime


class RemoteKeys:
    """What was fetched from which address. One of these serves a process."""

    def __init__(self) -> None:
        self._fetched: dict[str, _Fetched] = {}
        self._lock = Lock()

    def of(self, uri: str, *, kid: str | None, now: datetime) -> tuple[TokenKey, ...]:
        """The keys at this address; asked again for a `kid` that was not there the last time."""
        known = self._fetched.get(uri)
        if known is not None and not _must_ask(known, kid, now):
            return known.keys
        if known is not None:
            # Whoever comes while we ask takes what is known, and doesn't ask as well.
            self._fetched[uri] = _Fetched(known.keys, now)
        fetched = _Fetched(_fetch(uri, known), now)
        with self._lock:
            if len(self._fetched) >= _MOST:
                self._fetched.clear()
            self._fetched[uri] = fetched
        return fetched.keys


def remote_keys() -> RemoteKeys:
    """The application's memory of remote keys."""
    memory: RemoteKeys = current_app.extensions.setdefault(_EXTENSION, RemoteKeys())
    return memory


def _must_ask(known: _Fetched, kid: str | None, now: datetime) -> bool:
    age = now - known.at
    if age >= KEPT_FOR:
        return True
    is_there = any(not kid or key.id in ("", kid) for key in known.keys)
    return not is_there and age >= ASKED_AT_MOST_EVERY


def _fetch(uri: str, known: _Fetched | None) -> tuple[TokenKey, ...]:
    try:
        answer = Outgoing(current_settings()).get(uri)
        found = answer.json() if answer.status == 200 else None
    except OutgoingError:
        found = None
    if not isinstance(found, dict):
        # The client's server may be down for a moment; its keys are none the worse.
        return known.keys if known is not None else ()
    return read_keys(found)
