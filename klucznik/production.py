"""What production mode refuses to start with."""

from urllib.parse import urlsplit

from kernel.settings import Settings, split_list
from klucznik.home import DEMO_MARK
from klucznik.programs import Program

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_SECRETS = ("secret_keys", "encryption_keys", "ledger_key")


def refusals(program: Program, settings: Settings) -> list[str]:
    """Why this program may not start in production, as sentences; empty when it may."""
    if not settings.production:
        return []
    found = [
        f"{name} was made for a demonstration; make your own"
        for name in _SECRETS
        if any(
            secret.startswith(DEMO_MARK)
            for secret in split_list(getattr(settings, name).get_secret_value())
        )
    ]
    names = ["issuer"] if program.name == "identity" else ["issuer", program.url_setting]
    for name in names:
        if not is_safe_address(getattr(settings, name)):
            found.append(f"{name} must be an https address")
    return found


def is_safe_address(url: str) -> bool:
    """Whether an address is https, or never leaves this machine.

    >>> is_safe_address("https://id.example.pl"), is_safe_address("http://id.example.pl")
    (True, False)
    >>> is_safe_address("http://localhost:9000")
    True
    """
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
