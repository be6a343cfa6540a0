"""The load: a few connections, each walking through a scenario again and again.

A scenario is a generator. It yields the bytes of a request and receives the reply; so a sign-in
over seven requests reads like one, and one loop drives all connections from a core of its own.
"""

import selectors
import socket
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

CONNECTIONS = 16
_CHUNK = 1 << 16
_PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Reply:
    """What came back. `head` is everything before the body, in the server's own spelling."""

    status: int
    head: bytes
    body: bytes

    def headers(self, name: str) -> Iterator[str]:
        """The values of a header, in order."""
        wanted = name.lower().encode()
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == wanted:
                yield value.strip().decode("latin-1")

    @property
    def location(self) -> str:
        """Where a redirect leads."""
        return next(self.headers("location"))


Steps = Generator[bytes, Reply, None]
Done = Callable[[], None]
Scenario = Callable[[int, Done], Steps]


class Unexpected(Exception):
    """A server answered something else than the scenario needs; the figures would mean nothing."""


def expect(reply: Reply, *statuses: int) -> Reply:
    """The reply, when it has one of these statuses."""
    if reply.status not in statuses:
        shown = reply.body[:2000].decode(errors="replace")
        raise Unexpected(f"status {reply.status} instead of {statuses}: {shown}")
    return reply


class Browser:
    """Writes the requests of one visitor and keeps the cookies."""

    def __init__(self, origin: str, cookies: dict[str, str] | None = None) -> None:
        self._host = urlsplit(origin).netloc
        self._origin = origin
        self.cookies = dict(cookies or {})

    def get(self, url: str, headers: str = "") -> bytes:
        return self._request("GET", url, headers, b"")

    def post(self, url: str, form: dict[str, str], headers: str = "") -> bytes:
        # As a browser does: the token request of a program carries neither cookies nor origin.
        body = urlencode(form).encode()
        about = (
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\nOrigin: {self._origin}\r\n{headers}"
        )
        return self._request("POST", url, about, body)

    def _request(self, method: str, url: str, headers: str, body: bytes) -> bytes:
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        cookie = f"Cookie: {cookies}\r\n" if cookies else ""
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n{cookie}{headers}\r\n".encode()
            + body
        )

    def read(self, reply: Reply, *statuses: int) -> Reply:
        """Check the status and take the cookies."""
        expect(reply, *statuses)
        for line in reply.headers("set-cookie"):
            pair, _, attributes = line.partition(";")
            name, _, value = pair.partition("=")
            if "max-age=0" in attributes.lower().replace(" ", "") or not value:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return reply


def request(
    method: str, url: str, *, form: dict[str, str] | None = None, headers: str = ""
) -> bytes:
    """The bytes of a request of a program, without cookies."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    body = urlencode(form).encode() if form is not None else b""
    about = (
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        if form is not None
        else ""
    )
    return (
        f"{method} {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{about}{headers}\r\n".encode() + body
    )


def repeat(one: bytes, *statuses: int) -> Scenario:
    """The scenario of one request, always the same."""

    def steps(_connection: int, done: Done) -> Steps:
        while True:
            expect((yield one), *(statuses or (200,)))
            done()

    return steps


@dataclass(frozen=True)
class Count:
    """What happened between two moments."""

    operations: int
    seconds: float


class Load:
    """Connections to one server, driven by one scenario. Used as `with Load(…) as load`."""

    def __init__(self, url: str, scenario: Scenario, connections: int = CONNECTIONS) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._operations = 0
        self._selector = selectors.DefaultSelector()
        self._connections = [
            _Connection(self._address, scenario(number, self._done))
            for number in range(connections)
        ]

    def _done(self) -> None:
        self._operations += 1

    def __enter__(self) -> "Load":
        for connection in self._connections:
            connection.begin()
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections:
            connection.socket.close()
        self._selector.close()

    def warm_up(self, *, seconds: float) -> None:
        """Drive for a time, and until as many operations are done as there are connections."""
        ends = time.perf_counter() + _PATIENCE_SECONDS
        self.go_on(seconds=seconds)
        while self._operations < len(self._connections) and time.perf_counter() < ends:
            self.go_on(seconds=0.1)

    def go_on(self, *, seconds: float, at_most: int = 10**9) -> Count:
        """Drive for a time or a number of operations, whichever ends first."""
        before, started = self._operations, time.perf_counter()
        now, last_progress = started, started
        while now - started < seconds and self._operations - before < at_most:
            ready = self._selector.select(timeout=0.2)
            for key, _ in ready:
                connection: _Connection = key.data
                old = connection.socket
                connection.on_readable()
                if connection.socket is not old:
                    self._selector.unregister(old)
                    old.close()
                    self._selector.register(connection.socket, selectors.EVENT_READ, connection)
            now = time.perf_counter()
            last_progress = now if ready else last_progress
            if now - last_progress > _PATIENCE_SECONDS:
                raise Unexpected(f"no answer for {_PATIENCE_SECONDS} s")
        return Count(self._operations - before, time.perf_counter() - started)


class _Connection:
    """One keep-alive connection and where its scenario stands."""

    def __init__(self, address: tuple[str, int], steps: Steps) -> None:
        self._address = address
        self._steps = steps
        self._received = bytearray()
        self._sent = b""
        self.socket = self._open()

    def _open(self) -> socket.socket:
        made = socket.create_connection(self._address, timeout=_PATIENCE_SECONDS)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def begin(self) -> None:
        self._send(next(self._steps))

    def _send(self, request_bytes: bytes) -> None:
        self._sent = request_bytes
        self.socket.sendall(request_bytes)

    def on_readable(self) -> None:
        try:
            chunk = self.socket.recv(_CHUNK)
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            # The server closed an idle connection just when we wrote; ask again on a new one.
            if self._received:
                raise Unexpected("the connection closed inside an answer")
            self.socket = self._open()
            self.socket.sendall(self._sent)
            return
        self._received += chunk
        reply = _take_reply(self._received)
        if reply is not None:
            self._send(self._steps.send(reply))


def _take_reply(received: bytearray) -> Reply | None:
    """Cut a whole reply off the front of what was received, or None while it is not whole."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(received[:end])
    status = int(head[9:12])
    lowered = head.lower()
    start = end + 4
    mark = lowered.find(b"content-length:")
    if mark >= 0:
        line_end = lowered.find(b"\r\n", mark)
        length = int(lowered[mark + 15 : line_end if line_end > 0 else None])
        if len(received) < start + length:
            return None
        body = bytes(received[start : start + length])
        del received[: start + length]
        return Reply(status, head, body)
    if b"transfer-encoding: chunked" in lowered:
        found = _unchunk(received, start)
        if found is None:
            return None
        body, used = found
        del received[:used]
        return Reply(status, head, body)
    del received[:start]
    return Reply(status, head, b"")


def _unchunk(received: bytearray, start: int) -> tuple[bytes, int] | None:
    body, position = bytearray(), start
    while True:
        line_end = received.find(b"\r\n", position)
        if line_end < 0:
            return None
        size = int(received[position:line_end].split(b";")[0], 16)
        position = line_end + 2
        if len(received) < position + size + 2:
            return None
        body += received[position : position + size]
        position += size + 2
        if size == 0:
            return bytes(body), position
