"""One HTTP connection to a checked address, with one deadline for everything."""

import http.client
import io
import select
import socket
import ssl
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from kernel.outgoing.addresses import Target
from kernel.outgoing.errors import OutgoingFailed

# Status line and headers; the body has a bound of its own.
_MOST_HEADER_BYTES = 65_536


class Deadline:
    """The moment by which all has to be over: look-up, connection, request and answer."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left; raises when there are none."""
        seconds = self._ends - time.monotonic()
        if seconds <= 0:
            raise OutgoingFailed("no answer in time")
        return seconds


class _Reader(io.RawIOBase):
    """Reads a socket against the deadline, and never more than was agreed.

    A time-out of the socket alone starts anew with each byte.
    """

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._connection.receive_into(buffer)


class _TimedSocket:
    """What http.client knows of a socket."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._connection))

    def sendall(self, data: bytes) -> None:
        self._connection.send(data)

    def close(self) -> None:
        """http.client closes when it has read an answer to the end; we close ourselves."""


class Connection:
    """A connection to one address, used for one request at a time."""

    def __init__(self, target: Target, address: str, *, deadline: Deadline, ca_file: Path | None):
        self.since = self.idle_since = time.monotonic()
        self._deadline = deadline
        self._room = 0
        self._socket = _connect(target, address, deadline, ca_file)
        self._http = http.client.HTTPConnection(target.host, target.port)
        self._http.sock = _TimedSocket(self)
        # Without this, http.client would open a connection of its own, to wherever the name leads.
        self._http.auto_open = 0

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None,
        headers: dict[str, str],
        deadline: Deadline,
        most_bytes: int,
    ) -> tuple[int, dict[str, str], bytes, bool]:
        """Send one request. Gives status, headers, body, and whether another may follow."""
        self._deadline = deadline
        self._room = most_bytes + _MOST_HEADER_BYTES
        self._http.request(method, path, body=body, headers=headers)
        with self._http.getresponse() as answer:
            content = answer.read(most_bytes + 1)
            if len(content) > most_bytes:
                raise OutgoingFailed("the answer is too large")
            if answer.length:
                raise OutgoingFailed("the answer was cut short")
            reusable = not answer.will_close and answer.isclosed()
            self.idle_since = time.monotonic()
            return answer.status, _lowercased(answer), content, reusable

    def receive_into(self, buffer: Any) -> int:
        """Read some bytes before the deadline."""
        self._socket.settimeout(self._deadline.left())
        count = self._socket.recv_into(buffer)
        self._room -= count
        if self._room < 0:
            raise OutgoingFailed("the answer is too large")
        return count

    def send(self, data: bytes) -> None:
        """Send everything before the deadline."""
        self._socket.settimeout(self._deadline.left())
        self._socket.sendall(data)

    def is_alive(self) -> bool:
        """Whether an idle connection looks usable: closed ones, and talkative ones, are readable."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """Give the socket back."""
        self._http.close()
        self._socket.close()


def _lowercased(answer: http.client.HTTPResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in answer.getheaders():
        headers.setdefault(name.lower(), value)
    return headers


def _connect(
    target: Target, address: str, deadline: Deadline, ca_file: Path | None
) -> socket.socket:
    plain = socket.create_connection((address, target.port), timeout=deadline.left())
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if target.scheme != "https":
        return plain
    try:
        plain.settimeout(deadline.left())
        # The certificate is for the name that was asked for, whatever the address.
        return _tls(ca_file).wrap_socket(plain, server_hostname=target.host)
    except BaseException:
        plain.close()
        raise


@lru_cache(maxsize=4)
def _tls(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    return context
