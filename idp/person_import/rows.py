"""What a row says of a person, or why it can't be taken."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from zoneinfo import available_timezones

from idp.credentials import foreign_hashes
from idp.credentials.foreign_hashes import UnknownHash
from idp.credentials.hashing import is_ours
from kernel.errors import KlucznikError
from kernel.i18n import LANGUAGES
from tenants.people.address import NotAnAddress, canonical_email
from tenants.people.service import Newcomer

_NAME = re.compile(r"[^@<>]{1,100}")
_PHONE = re.compile(r"\+?[0-9][0-9 \-()]{5,30}")
_TRUE, _FALSE = {"true", "t", "yes", "1"}, {"false", "f", "no", "0"}
_TIME_ZONES = available_timezones()


class RowRefused(KlucznikError):
    """The row can't be taken; the detail is for the report and never quotes a hash."""


@dataclass(frozen=True)
class Stored:
    """A password as the other system stored it; `milliseconds` is None for a hash as ours are."""

    hash: str
    kind: str
    milliseconds: int | None


@dataclass(frozen=True)
class Candidate:
    """Somebody whom a row describes well enough to be made."""

    newcomer: Newcomer
    password: Stored | None
    note: str = ""


def understand(fields: Mapping[str, object]) -> Candidate:
    """Read one row; raises RowRefused."""
    try:
        address = canonical_email(_text(fields, "email") or "")
    except NotAnAddress as wrong:
        raise RowRefused("email: not an e-mail address") from wrong
    newcomer = Newcomer(
        address=address,
        given_name=_matching(fields, "given_name", _NAME, "no name, or longer than 100"),
        family_name=_matching(fields, "family_name", _NAME, "no name, or longer than 100"),
        phone=_matching(fields, "phone", _PHONE, "not a phone number"),
        locale=_locale(fields),
        zoneinfo=_zone(fields),
    )
    stored, is_verified = _password(fields), _is_verified(fields)
    if stored is not None and not is_verified:
        # Whoever has the mailbox sets the password; a stranger may have chosen this one.
        return Candidate(newcomer, None, "password left out: the address was not verified")
    return Candidate(newcomer, stored)


def _password(fields: Mapping[str, object]) -> Stored | None:
    said = fields.get("password_hash")
    # Keycloak's credential may come as the object that it is.
    text = json.dumps(said) if isinstance(said, dict) else _text(fields, "password_hash")
    if not text:
        return None
    try:
        kept = foreign_hashes.adopt(text)
        foreign = foreign_hashes.read(kept)
    except UnknownHash as refused:
        raise RowRefused(f"password_hash: {refused.detail}") from refused
    return Stored(kept, foreign.kind, None if is_ours(kept) else ceil(foreign.milliseconds))


def _is_verified(fields: Mapping[str, object]) -> bool:
    said = fields.get("email_verified")
    word = str(said).strip().lower() if said not in (None, "") else "true"
    if word not in _TRUE | _FALSE:
        raise RowRefused("email_verified: neither true nor false")
    return word in _TRUE


def _locale(fields: Mapping[str, object]) -> str | None:
    text = _text(fields, "locale")
    if text is None:
        return None
    language = re.split("[-_]", text.lower())[0]
    if language not in LANGUAGES:
        raise RowRefused(f"locale: none of {', '.join(LANGUAGES)}")
    return language


def _zone(fields: Mapping[str, object]) -> str | None:
    text = _text(fields, "zoneinfo")
    if text is not None and (text not in _TIME_ZONES or "/" not in text):
        raise RowRefused("zoneinfo: not a time zone like Europe/Warsaw")
    return text


def _matching(
    fields: Mapping[str, object], name: str, pattern: re.Pattern[str], problem: str
) -> str | None:
    # Exports are full of spaces that look like one and are another.
    text = " ".join((_text(fields, name) or "").split())
    if text and not (text.isprintable() and pattern.fullmatch(text)):
        raise RowRefused(f"{name}: {problem}")
    return text or None


def _text(fields: Mapping[str, object], name: str) -> str | None:
    """The text of a field, trimmed; None where there is none."""
    said = fields.get(name)
    if said is None:
        return None
    if not isinstance(said, str):
        raise RowRefused(f"{name}: not a text")
    return said.strip() or None
