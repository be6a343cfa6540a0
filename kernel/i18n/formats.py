"""Dates, numbers and money in the reader's way: «6.02.2026, 14:00», «1 234,50 zł»."""

from datetime import date, datetime
from decimal import Decimal

import flask_babel

_MOMENT = {"pl": "d.MM.y, HH:mm", "en": "d MMM y, HH:mm"}
_DAY = {"pl": "d.MM.y", "en": "d MMM y"}


def format_moment(moment: datetime) -> str:
    """Day and time in the reader's time zone."""
    return str(flask_babel.format_datetime(moment, _MOMENT[_language()]))


def format_day(day: date | datetime) -> str:
    """The day alone; of a moment, the day in the reader's time zone."""
    return str(flask_babel.format_date(day, _DAY[_language()]))


def format_number(number: int) -> str:
    """A whole number with its thousands apart."""
    return str(flask_babel.format_number(number))


def format_decimal(number: Decimal | float, digits: int = 2) -> str:
    """A number with a fixed count of decimal places."""
    return str(flask_babel.format_decimal(number, f"#,##0.{'0' * digits}"))


def format_money(amount: Decimal, currency: str = "PLN") -> str:
    """An amount of money."""
    return str(flask_babel.format_currency(amount, currency))


def _language() -> str:
    locale = flask_babel.get_locale()
    return locale.language if locale and locale.language in _MOMENT else "en"
