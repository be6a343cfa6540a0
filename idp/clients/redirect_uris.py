"""Redirect URIs: strict when they are registered, compared byte for byte afterwards."""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

_LONGEST = 2_000
_PRINTABLE = re.compile(r"[\x21-\x7E]+")
_FORBIDDEN = re.compile(r'[\\"<>`{}|^]')
_SEGMENT_DOT = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
# A native application's own scheme is its reversed domain (RFC 8252 §7.1), so it holds a dot.
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+\-]*(?:\.[a-z0-9+\-]+)+", re.IGNORECASE)
_NATIVE_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::(\d{1,5}))?(/.*)?")


def why_refuse(uri: str, *, native: bool = False) -> str | None:
    """Say why this may not be registered as a redirect URI, or None when it may.

    >>> why_refuse("https://app.example/callback") is None
    True
    >>> why_refuse("https://app.example/callback#top")
    'has a fragment'
    >>> why_refuse("JAVASCRIPT:alert(1)")
    'scheme is not allowed'
    """
    if not uri or len(uri) > _LONGEST:
        return "is empty or too long"
    if not _PRINTABLE.fullmatch(uri) or _FORBIDDEN.search(uri):
        return "holds characters that do not belong in an address"
    if "#" in uri:
        return "has a fragment"
    try:
        parts = urlsplit(uri)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "is not an address"
    scheme = parts.scheme.lower()
    if native and _PRIVATE_SCHEME.fullmatch(scheme):
        return None if not parts.netloc or host else "is not an address"
    if scheme not in {"https", "http"}:
        return "scheme is not allowed"
    if not host or "@" in parts.netloc:
        return "has no plain host"
    if _SEGMENT_DOT.search(parts.path):
        return "has dot segments"
    if scheme == "http" and not _is_loopback(host):
        return "must be https, but for loopback"
    return None


def is_registered(uri: str, registered: Iterable[str], *, native: bool = False) -> bool:
    """Whether this is exactly one of the registered URIs.

    A native application listens on a port that it learns late, so on a loopback address, and only
    there, the port may differ (RFC 8252 §7.3).

    >>> is_registered("http://127.0.0.1:5/cb", ["http://127.0.0.1/cb"], native=True)
    True
    >>> is_registered("http://127.0.0.1:5/cb", ["http://127.0.0.1/cb"])
    False
    """
    for known in registered:
        if uri == known:
            return True
        if native and _same_but_for_port(uri, known):
            return True
    return False


def _same_but_for_port(uri: str, known: str) -> bool:
    one, other = _NATIVE_LOOPBACK.fullmatch(uri), _NATIVE_LOOPBACK.fullmatch(known)
    if one is None or other is None:
        return False
    port_is_real = one[2] is None or 0 < int(one[2]) < 65_536
    return port_is_real and (one[1], one[3]) == (other[1], other[3])


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
