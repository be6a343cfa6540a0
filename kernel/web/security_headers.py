"""The headers that keep a browser on our side, built anew for each response."""

from dataclasses import dataclass
from functools import lru_cache

from flask import Response

from kernel.web.origin import Origin

REPORT_PATH = "/csp-report"
_YEAR = 31_536_000

_PERMISSIONS = ", ".join(
    [
        "accelerometer=()",
        "camera=()",
        "display-capture=()",
        "geolocation=()",
        "gyroscope=()",
        "magnetometer=()",
        "microphone=()",
        "midi=()",
        "payment=()",
        "usb=()",
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
    ]
)


def _strictest_sources() -> dict[str, list[str]]:
    return {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "report-uri": [REPORT_PATH],
    }


def _written(sources: dict[str, list[str]]) -> str:
    return "; ".join(f"{name} {' '.join(listed)}" for name, listed in sources.items())


_STRICTEST = _written(_strictest_sources())


@dataclass
class ResponsePolicy:
    """What one response allows the browser. Starts strict; a view widens just what it needs."""

    referrer: str = "same-origin"
    _widened: dict[str, list[str]] | None = None

    def allow(self, directive: str, source: str) -> None:
        """Allow one more source in this response (`form-action`, `https://app.example`)."""
        if not source.isascii() or any(letter in source for letter in " ;,\t\r\n"):
            raise ValueError("a source is one word")
        if self._widened is None:
            self._widened = _strictest_sources()
        listed = self._widened.setdefault(directive, [])
        if listed == ["'none'"]:
            listed.clear()
        if source not in listed:
            listed.append(source)

    def content_security_policy(self) -> str:
        return _STRICTEST if self._widened is None else _written(self._widened)


def add_security_headers(response: Response, policy: ResponsePolicy, origin: Origin) -> None:
    """Complete a response. What a view has set itself stays."""
    headers = response.headers
    said = {name.lower(): value for name, value in headers}
    for name, value in security_headers(origin):
        if name.lower() not in said:
            headers.add(name, value)
    if "content-security-policy" not in said:
        headers.add("Content-Security-Policy", policy.content_security_policy())
    if "referrer-policy" not in said:
        headers.add("Referrer-Policy", policy.referrer)
    if "cache-control" not in said:
        headers.add("Cache-Control", "no-store")
    if "no-store" in said.get("cache-control", "no-store"):
        if "vary" in said:
            response.vary.add("Cookie")
        else:
            headers.add("Vary", "Cookie")


def headers_without_a_page(
    origin: Origin,
    *,
    cache_control: str = "no-store",
    referrer: str = ResponsePolicy.referrer,
) -> tuple[tuple[str, str], ...]:
    """All of them as an answer without a page gets them; nobody may keep it unless told so."""
    return (
        *security_headers(origin),
        ("Content-Security-Policy", _STRICTEST),
        ("Referrer-Policy", referrer),
        ("Cache-Control", cache_control),
        *([("Vary", "Cookie")] if "no-store" in cache_control else []),
    )


@lru_cache(maxsize=16)
def security_headers(origin: Origin) -> tuple[tuple[str, str], ...]:
    """Those that are the same in every response of a program."""
    same = {
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": _PERMISSIONS,
    }
    if origin.is_secure and not origin.is_loopback:
        same["Strict-Transport-Security"] = f"max-age={_YEAR}; includeSubDomains"
    return tuple(same.items())
