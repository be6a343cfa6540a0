"""Moments keep their meaning on every database."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import DateTime
from sqlalchemy.dialects import postgresql, sqlite

from kernel.database import UTCDateTime, sort_key

MOMENT = datetime(2026, 6, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))


def store(moment: datetime | None, dialect):
    column = UTCDateTime().dialect_impl(dialect)
    convert = column.bind_processor(dialect)
    return convert(moment) if convert else moment


def read(stored, dialect):
    column = UTCDateTime().dialect_impl(dialect)
    convert = column.result_processor(dialect, None)
    return convert(stored) if convert else stored


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()])
def test_a_moment_comes_back_aware_and_in_utc(dialect) -> None:
    back = read(store(MOMENT, dialect), dialect)

    assert back == MOMENT
    assert back.tzinfo is UTC


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()])
def test_no_moment_stays_none(dialect) -> None:
    assert store(None, dialect) is None
    assert read(None, dialect) is None


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()])
def test_a_naive_moment_is_refused(dialect) -> None:
    with pytest.raises(ValueError, match="time zone"):
        store(datetime(2026, 6, 1), dialect)  # noqa: DTZ001


@given(st.datetimes(timezones=st.just(UTC)))
def test_sqlite_keeps_the_text_that_sqlalchemy_writes_and_reads(moment) -> None:
    """Rows written by an older version are read, and text compares as the moments do."""
    dialect = sqlite.dialect()
    write = DateTime().dialect_impl(dialect).bind_processor(dialect)
    assert write is not None

    stored = store(moment, dialect)

    assert stored == write(moment.replace(tzinfo=None))
    assert read(stored, dialect) == moment


def test_what_a_list_is_ordered_by_is_compared_as_python_does_on_every_database() -> None:
    """Else PostgreSQL orders by the language that its server was set up with, and marks count less."""
    for_both = [
        sort_key(20).compile(dialect=each()) for each in (sqlite.dialect, postgresql.dialect)
    ]

    assert for_both == ["VARCHAR(20)", 'VARCHAR(20) COLLATE "C"']
