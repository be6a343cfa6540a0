"""The address under which a program is known: taken from the settings, never from a request."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

from kernel.errors import Misconfigured

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port of a program's public address."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Read the origin of a configured address; raises Misconfigured.

        >>> str(Origin.of("https://Id.example.pl/"))
        'https://id.example.pl'
        >>> str(Origin.of("http://localhost:9000"))
        'http://localhost:9000'
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as wrong:
            raise Misconfigured(f"{url!r} is not an address") from wrong
        if parts.scheme not in _DEFAULT_PORTS or not host or parts.username is not None:
            raise Misconfigured(f"{url!r} is not an http or https address")
        return cls(parts.scheme, host.lower(), port or _DEFAULT_PORTS[parts.scheme])

    @property
    def netloc(self) -> str:
        """Host and, where it is not the usual one, port: what a browser sends as `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"
