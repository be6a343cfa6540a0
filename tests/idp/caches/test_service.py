import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from idp.caches import ALL_VERSIONS, BoundedCache, VersionedCache, move_on, read_already
from idp.caches.service import SharedReading
from kernel.database import HotStatement
from tenants.database import db


class Shelf:
    """Rows behind a cache, and how often they were read."""

    def __init__(self) -> None:
        self.rows = {"a": 1}
        self.reads = 0

    def load(self, _session: Session, key: str) -> int | None:
        self.reads += 1
        return self.rows.get(key)


def _value(cache: VersionedCache[str, int], key: str = "a") -> int | None:
    with db.reading() as session:
        return cache.get(session, key)


def test_a_value_is_read_once_while_the_version_stands(identity_app: Flask):
    shelf = Shelf()
    cache = VersionedCache("shelf", shelf.load)

    assert [_value(cache), _value(cache)] == [1, 1]
    assert shelf.reads == 1


def test_a_change_is_seen_by_the_next_request(identity_app: Flask):
    shelf = Shelf()
    cache = VersionedCache("shelf", shelf.load)
    _value(cache)

    shelf.rows["a"] = 2
    with db.transaction() as session:
        move_on(session, "shelf")

    assert _value(cache) == 2


def test_a_change_that_is_undone_leaves_no_trace(identity_app: Flask):
    shelf = Shelf()
    cache = VersionedCache("shelf", shelf.load)

    def change_and_fail() -> None:
        with db.transaction() as session:
            move_on(session, "shelf")
            shelf.rows["a"] = 99
            assert cache.get(session, "a") == 99
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    shelf.rows["a"] = 1
    with db.transaction() as session:
        move_on(session, "shelf")

    assert _value(cache) == 1


def test_what_is_missing_is_not_remembered(identity_app: Flask):
    """A client that is registered a moment later must be found."""
    shelf = Shelf()
    cache = VersionedCache("shelf", shelf.load)
    assert _value(cache, "b") is None

    shelf.rows["b"] = 5

    assert _value(cache, "b") == 5


def test_versions_that_were_read_along_with_something_else_are_those_that_count(
    identity_app: Flask,
):
    shelf = Shelf()
    cache = VersionedCache("shelf", shelf.load)
    with db.transaction() as session:
        move_on(session, "shelf")
    with db.glancing() as glance:
        versions = HotStatement(ALL_VERSIONS).rows(glance)[0].text
        read_already(glance, versions)
        cache.get(glance, "a")
    shelf.rows["a"] = 2
    with db.transaction() as session:
        move_on(session, "shelf")

    with db.glancing() as glance:
        read_already(glance, versions)
        assert cache.get(glance, "a") == 1
    with db.glancing() as glance:
        read_already(glance, HotStatement(ALL_VERSIONS).rows(glance)[0].text)
        assert cache.get(glance, "a") == 2


@pytest.mark.security("18.7")
def test_a_cache_never_holds_more_than_it_may():
    cache = BoundedCache[int, str](most=2)

    for number in range(3):
        cache.put(number, str(number))
        cache.get(1)

    assert [cache.get(number) for number in range(3)] == [None, "1", "2"]


def test_a_reading_serves_all_who_asked_before_it_began_and_nobody_else():
    shared, began, may_end = SharedReading[int](), threading.Event(), threading.Event()
    readings = count(1)

    def read() -> int:
        number = next(readings)
        if number == 1:
            began.set()
            may_end.wait(timeout=20)
        return number

    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(shared.read, read)
        began.wait(timeout=20)
        # They come while the first reading is under way, so what it finds may be too old for them.
        others = [pool.submit(shared.read, read) for _ in range(5)]
        while shared._last_asked < 6:
            threading.Event().wait(0.001)
        may_end.set()

        assert first.result(timeout=20) == 1
        assert {other.result(timeout=20) for other in others} == {2}
    assert shared.read(read) == 3


def test_a_reading_that_fails_fails_for_who_made_it():
    shared = SharedReading[int]()

    def fail() -> int:
        raise LookupError

    with pytest.raises(LookupError):
        shared.read(fail)
    assert shared.read(lambda: 7) == 7
