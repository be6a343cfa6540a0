"""Where in the world a network address is, as a file of the operator's says. For people's eyes.

The file is of MaxMind's format (GeoLite2, DB-IP and others publish such files) and is not part of
the product. Without one, or for an address that is not in it, pages and mails show the address.
"""

import threading
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import maxminddb
from flask import current_app
from maxminddb import InvalidDatabaseError

from idp.settings import current_settings
from kernel.i18n import current_language
from kernel.observability.logs import get_logger

_EXTENSION = "klucznik.places"
_LONGEST = 100

log = get_logger(__name__)


def place_of(address: object, language: str | None = None) -> str | None:
    """Town and country of a network address, in this language, or None where nobody knows."""
    path = current_settings().places_database
    if path is None or not isinstance(address, str):
        return None
    try:
        record = _places(path).find(address)
    except (OSError, InvalidDatabaseError, ValueError) as unusable:
        log.warning("places_database_unusable", error=type(unusable).__name__)
        return None
    return _in_words(record, language or current_language())


def why_unusable(path: Path) -> str | None:
    """What is wrong with a file of places, for the operator; None when nothing is."""
    try:
        with maxminddb.open_database(path, maxminddb.MODE_MMAP) as reader:
            reader.metadata()
    except (OSError, InvalidDatabaseError, ValueError) as unusable:
        return str(unusable) or type(unusable).__name__
    return None


class _Places:
    """An open file. It is opened again once the operator has put another one in its place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._version: tuple[int, int] | None = None
        self._reader: maxminddb.Reader | None = None

    def find(self, address: str) -> Mapping[str, Any] | None:
        record = self._open().get(ip_address(address))
        return record if isinstance(record, Mapping) else None

    def _open(self) -> maxminddb.Reader:
        found = self._path.stat()
        version = (found.st_mtime_ns, found.st_ino)
        with self._lock:
            if self._reader is None or self._version != version:
                # Not closed: another thread may be reading it. It goes with its last reader.
                self._reader = maxminddb.open_database(self._path, maxminddb.MODE_MMAP)
                self._version = version
            return self._reader


def _places(path: Path) -> _Places:
    places: _Places | None = current_app.extensions.get(_EXTENSION)
    if places is None:
        places = current_app.extensions.setdefault(_EXTENSION, _Places(path))
    return places


def _in_words(record: Mapping[str, Any] | None, language: str) -> str | None:
    if record is None:
        return None
    names = [_name(record.get(part), language) for part in ("city", "country")]
    return ", ".join(name for name in names if name)[:_LONGEST] or None


def _name(part: object, language: str) -> str | None:
    names = part.get("names") if isinstance(part, Mapping) else None
    if not isinstance(names, Mapping):
        return None
    name = names.get(language) or names.get("en")
    return name if isinstance(name, str) else None
