"""The headers that keep a browser on our side, built anew for each response."""

from dataclasses import dataclass, field

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

    sources: dict[str, list[str]] = field(default_factory=_strictest_sources)
    referrer: str = "same-origin"
    is_widened: bool = False

    def allow(self, directive: str, source: str) -> None:
        """Allow one more source in this response (`form-action`, `https://app.example`)."""
        if not source.isascii() or any(letter in source for letter in " ;,\t\r\n"):
            raise ValueError("a source is one word")
        self.is_widened = True
        listed = self.sources.setdefault(directive, [])
        if listed == ["'none'"]:
            listed.clear()
        if source not in listed:
            listed.append(source)

    def content_security_policy(self) -> str:
        return _written(self.sources) if self.is_widened else _STRICTEST


def add_security_headers(response: Response, policy: ResponsePolicy, origin: Origin) -> None:
    """Complete a response. What a view has set itself stays."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", policy.content_security_policy())
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", policy.referrer)
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", _PERMISSIONS)
    if origin.is_secure and not origin.is_loopback:
        headers.setdefault("Strict-Transport-Security", f"max-age={_YEAR}; includeSubDomains")
    headers.setdefault("Cache-Control", "no-store")
    if "no-store" in headers["Cache-Control"]:
        response.vary.add("Cookie")
