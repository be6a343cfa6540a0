"""The guarded client: checks, then asks, within bounds."""

import base64
import http.client
import json
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from kernel.outgoing.addresses import Rules, Target, check_url
from kernel.outgoing.connection import Connection, Deadline
from kernel.outgoing.errors import OutgoingFailed
from kernel.outgoing.resolution import addresses_of
from kernel.settings import Settings

SECONDS = 5.0
MOST_BYTES = 65_536
_IDLE_SECONDS = 10.0
_OLDEST_SECONDS = 60.0
_MOST_IDLE = 8


@dataclass(frozen=True)
class Response:
    """What came back. Never shown to a person as it is."""

    status: int
    # Names in lower case; of a repeated header the first one.
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """The body as JSON; raises OutgoingFailed when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as malformed:
            raise OutgoingFailed("the answer is not JSON") from malformed


class _Closed(OutgoingFailed):
    """The other side hung up without an answer."""


class Outgoing:
    """Asks other programs, over addresses that somebody else chose.

    Connections are kept for another request only to hosts that the operator lists; everybody else
    gets a new look-up, a new check and a new connection each time. Threads may share one.
    """

    def __init__(self, settings: Settings) -> None:
        self._rules = Rules.read(settings.outgoing_allowed_hosts, settings.outgoing_resolve)
        self._ca_file = settings.outgoing_ca_file
        self._idle: defaultdict[tuple[str, str, int], list[Connection]] = defaultdict(list)
        self._lock = threading.Lock()

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        most_bytes: int = MOST_BYTES,
        seconds: float = SECONDS,
    ) -> Response:
        """Fetch; raises OutgoingRefused or OutgoingFailed. Any status is an answer."""
        return self._ask(
            "GET", url, None, _headers(headers, auth, None), most_bytes=most_bytes, seconds=seconds
        )

    def post(
        self,
        url: str,
        *,
        data: Mapping[str, str] | bytes = b"",
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        most_bytes: int = MOST_BYTES,
        seconds: float = SECONDS,
    ) -> Response:
        """Send a form (a mapping), bytes, or JSON; raises OutgoingRefused or OutgoingFailed."""
        body, content_type = _encoded(data, json)
        return self._ask(
            "POST",
            url,
            body,
            _headers(headers, auth, content_type),
            most_bytes=most_bytes,
            seconds=seconds,
        )

    def check(self, url: str) -> None:
        """Raise OutgoingRefused for a URL that could never be asked. Looks no name up."""
        check_url(url, self._rules)

    def close(self) -> None:
        """Close the connections that are kept."""
        with self._lock:
            kept = [connection for idle in self._idle.values() for connection in idle]
            self._idle.clear()
        for connection in kept:
            connection.close()

    def _ask(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: dict[str, str],
        *,
        most_bytes: int,
        seconds: float,
    ) -> Response:
        deadline = Deadline(seconds)
        target = check_url(url, self._rules)
        headers["Host"] = target.authority
        kept = self._kept(target)
        if kept is not None:
            try:
                return self._ask_over(
                    kept, target, method, body, headers, deadline=deadline, most_bytes=most_bytes
                )
            except _Closed as closed:
                # The other side may have closed an idle connection just now. Whether it acted on
                # the request can't be known, so only what changes nothing is asked again.
                if method != "GET":
                    raise OutgoingFailed("the connection was closed") from closed
        fresh = self._open(target, deadline)
        try:
            return self._ask_over(
                fresh, target, method, body, headers, deadline=deadline, most_bytes=most_bytes
            )
        except _Closed as closed:
            raise OutgoingFailed("the connection was closed") from closed

    def _ask_over(
        self,
        connection: Connection,
        target: Target,
        method: str,
        body: bytes | None,
        headers: dict[str, str],
        *,
        deadline: Deadline,
        most_bytes: int,
    ) -> Response:
        done = False
        try:
            status, answered, content, reusable = connection.ask(
                method,
                target.path,
                body=body,
                headers=headers,
                deadline=deadline,
                most_bytes=most_bytes,
            )
            done = True
        except (http.client.RemoteDisconnected, ConnectionError) as closed:
            raise _Closed(type(closed).__name__) from closed
        except (OSError, http.client.HTTPException, ValueError) as failure:
            raise OutgoingFailed(type(failure).__name__) from failure
        finally:
            if not done:
                connection.close()
        self._keep(target, connection, reusable)
        return Response(status, answered, content)

    def _open(self, target: Target, deadline: Deadline) -> Connection:
        """A connection to the first address that takes one."""
        failure: OSError | None = None
        addresses = addresses_of(target, self._rules, seconds=deadline.left())
        for count, address in enumerate(addresses):
            # One address that swallows everything must leave time for the others.
            share = Deadline(deadline.left() / (len(addresses) - count))
            try:
                return Connection(target, address, deadline=share, ca_file=self._ca_file)
            except ssl.SSLError as untrusted:
                raise OutgoingFailed("TLS failed") from untrusted
            except OSError as unreachable:
                failure = unreachable
        raise OutgoingFailed("nobody took the connection") from failure

    def _kept(self, target: Target) -> Connection | None:
        """An idle connection that is fresh and still open."""
        while True:
            with self._lock:
                idle = self._idle.get(target.server)
                connection = idle.pop() if idle else None
            if connection is None:
                return None
            now = time.monotonic()
            if (
                now - connection.idle_since < _IDLE_SECONDS
                and now - connection.since < _OLDEST_SECONDS
                and connection.is_alive()
            ):
                return connection
            connection.close()

    def _keep(self, target: Target, connection: Connection, reusable: bool) -> None:
        if reusable and self._rules.allows(target):
            with self._lock:
                idle = self._idle[target.server]
                if len(idle) < _MOST_IDLE:
                    idle.append(connection)
                    return
        connection.close()


def _encoded(data: Mapping[str, str] | bytes, value: Any) -> tuple[bytes, str | None]:
    if value is not None:
        return json.dumps(value, separators=(",", ":")).encode(), "application/json"
    if isinstance(data, bytes):
        return data, None
    return urlencode(data).encode(), "application/x-www-form-urlencoded"


def _headers(
    headers: Mapping[str, str] | None, auth: tuple[str, str] | None, content_type: str | None
) -> dict[str, str]:
    all_headers = {"User-Agent": "Klucznik", "Accept-Encoding": "identity"}
    if content_type is not None:
        all_headers["Content-Type"] = content_type
    if auth is not None:
        pair = base64.b64encode(":".join(auth).encode()).decode()
        all_headers["Authorization"] = f"Basic {pair}"
    return all_headers | dict(headers or {})
