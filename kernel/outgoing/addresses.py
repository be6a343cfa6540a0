"""Who may be asked: which addresses are public, and which hosts the operator lets through."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import idna

from kernel.errors import Misconfigured
from kernel.outgoing.errors import OutgoingRefused
from kernel.settings import split_list

_LONGEST_URL = 2_048
_PORTS = frozenset({443, 8443})
_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9])?\.?")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Public by Python's tables, or by those of an older Python, and yet no place for our requests.
_REFUSED_V4 = tuple(
    ipaddress.ip_network(network)
    for network in ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15")
)
# All unicast that is routed is in here …
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
# … with these exceptions: protocols, tunnels that carry an IPv4 address, documentation.
_REFUSED_V6 = tuple(
    ipaddress.ip_network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


@dataclass(frozen=True)
class Target:
    """A checked URL, taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What stands in the header Host."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def server(self) -> tuple[str, str, int]:
        """Whom a connection is to, whatever it asks for."""
        return self.scheme, self.host, self.port

    @property
    def name(self) -> str:
        """`host:port`, as the operator lists it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Rules:
    """What the operator set for outgoing requests."""

    allowed: frozenset[str] = frozenset()
    resolve: Mapping[str, str] | None = None

    @classmethod
    def read(cls, allowed_hosts: str, resolve: str) -> "Rules":
        """From the settings `outgoing_allowed_hosts` and `outgoing_resolve`."""
        pairs = {}
        for pair in split_list(resolve):
            host, equals, address = pair.partition("=")
            if not equals or not _is_address(address.strip()):
                raise Misconfigured("KLUCZNIK_OUTGOING_RESOLVE takes host=address pairs")
            pairs[host.strip().lower()] = address.strip()
        return cls(frozenset(name.lower() for name in split_list(allowed_hosts)), pairs)

    def allows(self, target: Target) -> bool:
        """Whether the operator vouches for this host at this port."""
        return target.name in self.allowed


def check_url(url: str, rules: Rules) -> Target:
    """Take a URL apart, or raise OutgoingRefused for one that no request may go to."""
    if len(url) > _LONGEST_URL or not all("!" <= letter <= "~" for letter in url) or "\\" in url:
        raise OutgoingRefused("not a plain URL")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as malformed:
        raise OutgoingRefused("not a URL") from malformed
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise OutgoingRefused("not https")
    if "@" in parts.netloc:
        raise OutgoingRefused("user names don't belong into a URL")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if port is None:
        port = _DEFAULT_PORTS[scheme]
    target = Target(scheme, _plain_host(parts.hostname or ""), port, path)
    if not rules.allows(target):
        if scheme != "https":
            raise OutgoingRefused("not https")
        if target.port not in _PORTS:
            raise OutgoingRefused("not a port for https")
    return target


def _plain_host(host: str) -> str:
    """The host as DNS and TLS spell it."""
    if _is_address(host):
        return str(ipaddress.ip_address(host))
    host = host.lower()
    if not _HOST.fullmatch(host):
        raise OutgoingRefused("not the name of a host")
    if "xn--" in host:
        try:
            idna.decode(host)
        except idna.IDNAError as malformed:
            raise OutgoingRefused("not the name of a host") from malformed
    return host


def _is_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return getattr(address, "scope_id", None) is None


def is_public(text: str) -> bool:
    """Whether an address belongs to the public internet, and to nothing that hides another.

    >>> is_public("93.184.215.14"), is_public("2606:2800:21f:cb07::1")
    (True, True)
    >>> [is_public(text) for text in ("127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "fe80::1")]
    [False, False, False, False]
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return _is_public_v4(address)
    return (
        address.scope_id is None
        and address in _GLOBAL_V6
        and address.is_global
        and not any(address in network for network in _REFUSED_V6)
    )


def _is_public_v4(address: ipaddress.IPv4Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _REFUSED_V4)
    )
