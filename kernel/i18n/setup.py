"""Teaching an application its languages."""

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask
from flask_babel import Babel

from kernel.i18n.catalogs import Catalogs, translations_for
from kernel.i18n.choice import LANGUAGES, LanguageChoice
from kernel.i18n.formats import (
    format_day,
    format_decimal,
    format_moment,
    format_money,
    format_number,
)

TIME_ZONE = "Europe/Warsaw"


def set_up_languages(
    app: Flask,
    packages: Sequence[str],
    *,
    cookie: str,
    default: str = "pl",
    person_language: Callable[[], str | None] | None = None,
    person_comes_first: bool = False,
    person_time_zone: Callable[[], str | None] | None = None,
) -> None:
    """Load the catalogs of `packages` and decide per request which language is spoken."""
    babel = Babel()
    babel.init_app(
        app,
        default_locale=default,
        default_timezone=TIME_ZONE,
        locale_selector=LanguageChoice(
            default=default,
            cookie=cookie,
            person_language=person_language,
            person_comes_first=person_comes_first,
        ),
        timezone_selector=_time_zone_chooser(person_time_zone),
    )
    app.config["BABEL_DEFAULT_LOCALE"] = default
    babel.domain_instance = Catalogs(packages)
    for language in LANGUAGES:
        translations_for(tuple(packages), language)
    app.jinja_env.filters.update(
        moment=format_moment,
        day=format_day,
        number=format_number,
        decimal=format_decimal,
        money=format_money,
    )


def _time_zone_chooser(
    person_time_zone: Callable[[], str | None] | None,
) -> Callable[[], str | None] | None:
    if person_time_zone is None:
        return None

    def choose() -> str | None:
        name = person_time_zone()
        try:
            return ZoneInfo(name).key if name else None
        except (ZoneInfoNotFoundError, ValueError):
            return None

    return choose
