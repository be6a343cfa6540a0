"""Moments keep their meaning on every database."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from kernel.database import UTCDateTime

MOMENT = datetime(2026, 6, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()])
def test_a_moment_comes_back_aware_and_in_utc(dialect) -> None:
    column = UTCDateTime()

    stored = column.process_bind_param(MOMENT, dialect)

    back = column.process_result_value(stored, dialect)
    assert back == MOMENT
    assert back.tzinfo is UTC


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        UTCDateTime().process_bind_param(datetime(2026, 6, 1), sqlite.dialect())  # noqa: DTZ001
