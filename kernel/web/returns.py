"""«Return to» parameters: own paths, nothing else."""

import re
from urllib.parse import urlsplit

_LONGEST = 2_000
# A browser reads "\" as "/", drops tabs and line ends, and takes "//" for another host.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")


def own_path(text: str | None, *, otherwise: str = "/") -> str:
    """The path to go back to if it is one of ours, else the other one.

    >>> own_path("/account?tab=security")
    '/account?tab=security'
    >>> own_path("//evil.example/"), own_path("https://evil.example/"), own_path("/\\\\evil.example")
    ('/', '/', '/')
    """
    if text is None or not is_own_path(text):
        return otherwise
    return text


def is_own_path(text: str) -> bool:
    """Whether a browser that follows `text` stays on this origin."""
    if len(text) > _LONGEST or not text.startswith("/") or text.startswith("//"):
        return False
    if _FORBIDDEN.search(text) or not text.isascii():
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc
