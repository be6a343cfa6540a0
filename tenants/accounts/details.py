"""What is written of a firm: its name, its number, where it is. Pure.

Accounts and companies are described alike. What is typed is cleaned and checked here once, whoever
brings it: a page, a program, the command line.
"""

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from stdnum.exceptions import ValidationError
from stdnum.pl import nip as polish_tax_number

from kernel.errors import Refused
from kernel.i18n.letters import in_order

LONGEST_NAME = 200
_LONGEST_STREET = 200
_LONGEST_TOWN = 100
_LONGEST_POSTCODE = 16


class NotValid(Refused):
    """A field has a value that it can't have. `field` names it."""

    status = 422
    reason = "not_valid"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field


class NotANip(NotValid):
    """The text is no NIP: not ten digits, or the check digit is wrong."""

    reason = "not_a_nip"


def cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    """These fields as they are stored; raises NotValid.

    >>> cleaned({"name": "  Dom  i Ogród ", "nip": "PL 526-000-12-46", "town": ""})
    {'name': 'Dom i Ogród', 'nip': '5260001246', 'town': None}
    """
    unknown = set(values) - set(_FIELDS)
    if unknown:
        raise NotValid(min(unknown), "no such field")
    return {field: _FIELDS[field](field, value) for field, value in values.items()}


def sort_name(name: str) -> str:
    """The name as lists are ordered and searched by.

    >>> sort_name("STRASSE 7") == sort_name("Straße 7")
    True
    """
    return in_order(name)[:LONGEST_NAME]


def _name(field: str, value: Any) -> str:
    text = _text(field, value, LONGEST_NAME)
    if text is None:
        raise NotValid(field, "empty")
    return text


def _nip(field: str, value: Any) -> str | None:
    text = _text(field, value, 40)
    if text is None:
        return None
    try:
        return str(polish_tax_number.validate(text))
    except ValidationError as wrong:
        raise NotANip(field, "not a NIP") from wrong


def _country(field: str, value: Any) -> str:
    text = _text(field, value, 2)
    if text is None or len(text) != 2 or not (text.isascii() and text.isalpha()):
        raise NotValid(field, "not two letters of ISO 3166")
    return text.upper()


def _short(longest: int) -> Callable[[str, Any], str | None]:
    return lambda field, value: _text(field, value, longest)


def _text(field: str, value: Any, longest: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise NotValid(field, "not a text")
    if len(value) > 4 * longest:
        raise NotValid(field, "too long")
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if len(text) > longest:
        raise NotValid(field, "too long")
    if not text.isprintable():
        raise NotValid(field, "invisible characters")
    return text or None


_FIELDS: dict[str, Callable[[str, Any], Any]] = {
    "name": _name,
    "nip": _nip,
    "street": _short(_LONGEST_STREET),
    "postcode": _short(_LONGEST_POSTCODE),
    "town": _short(_LONGEST_TOWN),
    "country": _country,
}

FIELDS = frozenset(_FIELDS)
