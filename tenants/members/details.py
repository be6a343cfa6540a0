"""What an account writes of a member or client: names, phone, language. Pure.

It is the account's own note; the ID of the person says nothing here and hears nothing of it.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from kernel.i18n.letters import in_order
from tenants.accounts.details import NotValid

_LONGEST = {"given_name": 100, "family_name": 100, "phone": 32}
_LANGUAGES = ("en", "pl")
_LONGEST_SORT_NAME = 210
_PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{2,30}")

FIELDS = frozenset({*_LONGEST, "locale"})


def cleaned(values: Mapping[str, Any]) -> dict[str, str | None]:
    """These fields as they are stored; raises NotValid.

    >>> cleaned({"given_name": " Anna  Maria ", "phone": ""})
    {'given_name': 'Anna Maria', 'phone': None}
    """
    return {field: _one(field, value) for field, value in values.items()}


def sort_name(given_name: str | None, family_name: str | None, email_key: str) -> str:
    """What lists are ordered and searched by: the family name first, the address without a name.

    >>> sort_name("Anna", "Nowak", "nowak@example.com"), sort_name(None, None, "nowak@example.com")
    ('nowak anna', 'nowak@example.com')
    """
    name = " ".join(part for part in (family_name, given_name) if part)
    return in_order(name or email_key)[:_LONGEST_SORT_NAME]


def folded(text: str) -> str:
    """The text as texts are compared."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _one(field: str, value: Any) -> str | None:
    if field not in FIELDS:
        raise NotValid(field, "no such field")
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > 1_000:
        raise NotValid(field, "not a short text")
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if not text:
        return None
    if field == "locale":
        return _language(text)
    if len(text) > _LONGEST[field] or not text.isprintable():
        raise NotValid(field, "too long, or with invisible characters")
    if field == "phone" and not _PHONE.fullmatch(text):
        raise NotValid(field, "not a phone number")
    return text


def _language(text: str) -> str:
    if text not in _LANGUAGES:
        raise NotValid("locale", "not a language of ours")
    return text
