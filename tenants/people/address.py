"""E-mail addresses: one spelling for the person, one for comparing (ID-2)."""

import unicodedata
from dataclasses import dataclass

from kernel.errors import Refused

_LONGEST = 254
_LONGEST_LOCAL = 64


class NotAnAddress(Refused):
    """The text is not one e-mail address."""

    reason = "not_an_address"


@dataclass(frozen=True)
class Address:
    """One mailbox: `display` is shown and written to, `key` is what addresses are compared by."""

    display: str
    key: str


def canonical_email(text: object) -> Address:
    """Read exactly one address, however it was typed; raises NotAnAddress.

    NFKC, trimmed, case-folded, the domain in IDNA's ASCII form. Lists, names in angle brackets and
    comments are refused: a mail has one recipient.

    >>> canonical_email(" Zoe@BÜCHER.example ").key
    'zoe@xn--bcher-kva.example'
    >>> canonical_email("ANNA@example.com").key == canonical_email("anna@example.com").key
    True
    """
    if not isinstance(text, str) or len(text) > 2 * _LONGEST:
        raise NotAnAddress("not a short text")
    typed = unicodedata.normalize("NFKC", text).strip()
    if not typed or len(typed) > _LONGEST or not typed.isprintable():
        raise NotAnAddress("empty, too long, or with invisible characters")
    # Not before the first address: its tables of characters are a thirtieth of a start.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    try:
        parts = validate_email(typed, check_deliverability=False, allow_smtputf8=False)
    except (EmailNotValidError, ValueError) as refused:
        raise NotAnAddress("not the form of an address") from refused
    domain = (parts.ascii_domain or "").lower()
    key = f"{_folded(parts.local_part)}@{domain}"
    if not domain or len(key) > _LONGEST or len(parts.local_part) > _LONGEST_LOCAL:
        raise NotAnAddress("no domain, or too long")
    return Address(display=parts.normalized, key=key)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
