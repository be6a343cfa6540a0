"""Teaching an application its languages."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask, g
from flask_babel import Babel, refresh

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
_OF_READER = "klucznik_time_zone"


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


@contextmanager
def in_time_zone(name: str | None) -> Iterator[None]:
    """Moments in this time zone: for a mail, whose reader is not in front of us.

    Without a name, or with an unknown one, in that of the installation. Languages that are to be
    spoken are named inside.
    """
    before = g.get(_OF_READER)
    setattr(g, _OF_READER, name)
    refresh()
    try:
        yield
    finally:
        setattr(g, _OF_READER, before)
        refresh()


def _time_zone_chooser(
    person_time_zone: Callable[[], str | None] | None,
) -> Callable[[], str | None]:
    def choose() -> str | None:
        name = g.get(_OF_READER) or (person_time_zone() if person_time_zone is not None else None)
        try:
            return ZoneInfo(name).key if name else None
        except (ZoneInfoNotFoundError, ValueError):
            return None

    return choose
