from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from kernel.i18n import (
    format_day,
    format_decimal,
    format_moment,
    format_money,
    format_number,
    speaking,
)
from tests.kernel.web.a_program import a_program

MOMENT = datetime(2026, 2, 6, 13, 0, tzinfo=UTC)


@pytest.fixture(params=["pl", "en"])
def language(request):
    with a_program().test_request_context(), speaking(request.param):
        yield request.param


def test_a_moment_is_written_in_the_readers_way(language):
    assert format_moment(MOMENT) == {"pl": "6.02.2026, 14:00", "en": "6 Feb 2026, 14:00"}[language]


def test_a_day_is_written_in_the_readers_way(language):
    assert format_day(date(2026, 2, 6)) == {"pl": "6.02.2026", "en": "6 Feb 2026"}[language]


def test_a_moment_near_midnight_is_on_the_readers_day(language):
    late = datetime(2026, 2, 5, 23, 30, tzinfo=UTC)

    assert format_day(late).startswith("6")


def test_numbers_have_their_thousands_apart(language):
    assert format_number(12345) == {"pl": "12\xa0345", "en": "12,345"}[language]
    assert format_decimal(Decimal("1234.5")) == {"pl": "1\xa0234,50", "en": "1,234.50"}[language]


def test_money_has_its_sign_where_it_belongs(language):
    written = format_money(Decimal("1234.50"))

    assert written == {"pl": "1\xa0234,50\xa0zł", "en": "PLN1,234.50"}[language]
