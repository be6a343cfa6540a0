"""Scopes: lists of words with spaces between them (RFC 6749 §3.3)."""

import re
from collections.abc import Iterable

OPENID = "openid"
OFFLINE_ACCESS = "offline_access"
PROFILE = "profile"
EMAIL = "email"
PHONE = "phone"
ADDRESS = "address"

# What an authorization request may ask about a person, in the order in which we list it.
OF_OPENID = (OPENID, PROFILE, EMAIL, PHONE, ADDRESS, OFFLINE_ACCESS)

_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
_MOST = 50
_LONGEST = 1_000


def parse(text: str | None) -> tuple[str, ...]:
    """The scopes, each once, in the order of their first appearance.

    >>> parse("openid  email openid")
    ('openid', 'email')
    >>> parse(None)
    ()
    """
    return tuple(dict.fromkeys(part for part in (text or "").split(" ") if part))


def is_well_formed(text: str) -> bool:
    """Whether this is a list of scopes of a bearable length.

    >>> is_well_formed("openid email"), is_well_formed("open\\"id")
    (True, False)
    """
    words = parse(text)
    return (
        len(text) <= _LONGEST
        and len(words) <= _MOST
        and all(_TOKEN.fullmatch(word) for word in words)
    )


def join(scopes: Iterable[str]) -> str:
    """The scopes as tokens and answers carry them."""
    return " ".join(scopes)
