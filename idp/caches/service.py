"""Caches that are valid at one version of the database."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from itertools import count
from threading import Lock
from types import MappingProxyType
from typing import Generic, TypeVar, cast

from sqlalchemy import String, func, literal_column, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from idp.caches.models import CacheVersion
from kernel import program
from kernel.database import Glance, HotStatement, Reads, dialect_of, upsert
from tenants.database import db

Value = TypeVar("Value")
Key = TypeVar("Key", bound=Hashable)

_EXTENSION = "klucznik.idp.caches"
_VERSIONS = "klucznik.idp.cache_versions"
_SHARED = "klucznik.idp.shared_reading"
_MOST = 10_000
_ROW = CacheVersion.__table__.c
# One text, so one row: a driver takes and gives Python's lock for each.
ALL_VERSIONS = select(
    func.aggregate_strings(
        _ROW.name + literal_column("'='") + sql_cast(_ROW.number, String(20)),
        cast(str, literal_column("' '")),
    ).label("text")
)
"""All versions as one text; who reads it beside something else says so by `read_already`."""
_ALL_VERSIONS = HotStatement(ALL_VERSIONS)


def move_on(session: Session, name: str) -> None:
    """Make all processes forget what they remember under this name, from the commit on.

    Takes the row's lock: whoever changes the same kind of row at the same time waits.
    """
    insert = upsert(dialect_of(session), CacheVersion).values(
        name=name, number=secrets.randbits(62)
    )
    session.execute(
        insert.on_conflict_do_update(
            index_elements=[CacheVersion.name], set_={"number": insert.excluded.number}
        )
    )
    session.info.pop(_VERSIONS, None)


def _version(at: Reads, name: str) -> int:
    """The version that a session or a glance works at: read once, for all caches together."""
    versions: Mapping[str, int] | None = at.info.get(_VERSIONS)
    if versions is None:
        versions = at.info[_VERSIONS] = _read_versions(at)
    return versions.get(name, 0)


def read_already(at: Reads, versions: str | None) -> None:
    """What is kept in memory is looked at as of these versions, which were read here just now."""
    at.info.setdefault(_VERSIONS, _parse(versions))


def _read_versions(at: Reads) -> Mapping[str, int]:
    def read() -> Mapping[str, int]:
        return _parse(_ALL_VERSIONS.rows(at)[0].text)

    if isinstance(at, Glance) and at.dialect == "postgresql":
        shared: SharedReading[Mapping[str, int]] = program.extensions().setdefault(
            _SHARED, SharedReading()
        )
        return shared.read(read)
    return read()


@lru_cache(maxsize=4)
def _parse(text: str | None) -> Mapping[str, int]:
    pairs = (pair.split("=") for pair in (text or "").split())
    return MappingProxyType({name: int(number) for name, number in pairs})


class SharedReading(Generic[Value]):
    """One reading for all who ask at the same time, where a reading is a way over the network.

    What somebody gets was read after they asked, as if they had read it themselves.
    """

    def __init__(self) -> None:
        self._turn = Lock()
        self._numbers = count(1)
        self._last_asked = 0
        self._answered = 0
        self._found: Value | None = None

    def read(self, read: Callable[[], Value]) -> Value:
        """What `read` finds, or what another's found that began after this was called."""
        mine = self._last_asked = next(self._numbers)
        with self._turn:
            if self._answered >= mine and self._found is not None:
                return self._found
            # All who have asked by now: whoever comes later is for the next reading.
            asked = self._last_asked
            self._found = read()
            self._answered = asked
            return self._found


class BoundedCache(Generic[Key, Value]):
    """Remembers the most recently used values, and no more of them than it may."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key) -> Value | None:
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: Key, value: Value) -> None:
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)


class VersionedCache(Generic[Key, Value]):
    """What `load` found for a key, for as long as the database's version stands.

    Each application of a process has its own: it is kept with the application, not here.
    """

    def __init__(self, name: str, load: Callable[[Session, Key], Value | None]) -> None:
        self._name = name
        self._load = load

    def get(self, at: Reads, key: Key) -> Value | None:
        """The value for this key now, or None when there is none."""
        remembered = self._remembered(_version(at, self._name))
        value = remembered.get(key)
        if value is None:
            value = self._load_at(at, key)
            if value is not None:
                remembered.put(key, value)
        return value

    def last(self, key: Key) -> Value | None:
        """What this process found last, without a look at the version: for what may be old."""
        _, cache = program.extensions().get(_EXTENSION, {}).get(self._name, (None, None))
        return cast(Value | None, cache.get(key)) if cache is not None else None

    def _load_at(self, at: Reads, key: Key) -> Value | None:
        if isinstance(at, Session):
            return self._load(at, key)
        # Read after the version: what is found is of that version or newer, never older.
        with db.reading() as session:
            return self._load(session, key)

    def _remembered(self, version: int) -> BoundedCache[Key, Value]:
        shelves = program.extensions().setdefault(_EXTENSION, {})
        at, cache = shelves.get(self._name, (None, None))
        if at != version or cache is None:
            # Two threads may do this at once; the loser's cache is only filled for itself.
            cache = BoundedCache[Key, Value]()
            shelves[self._name] = (version, cache)
        return cast(BoundedCache[Key, Value], cache)
