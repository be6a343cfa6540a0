"""Whose language is spoken: what was chosen here, else what the application or browser asks for."""

from collections.abc import Callable, Iterable
from functools import cache

from babel import Locale
from flask import current_app, has_request_context, request, session
from flask_babel import get_locale

LANGUAGES = {"pl": "Polski", "en": "English"}
"""The languages that we speak, in their own names."""

LANGUAGE_COOKIE = "klucznik_language"
_LONGEST_LIST = 200
_ASKED = "asked_language"


class LanguageChoice:
    """Asked once a request."""

    def __init__(
        self,
        *,
        default: str,
        cookie: str,
        person_language: Callable[[], str | None] | None,
        person_comes_first: bool,
    ) -> None:
        self._default = default
        self._cookie = cookie
        self._person_language = person_language
        self._person_comes_first = person_comes_first

    def __call__(self) -> Locale:
        return _locale(self._language())

    def _language(self) -> str:
        if not has_request_context():
            return self._default
        of_person, of_browser = self._of_person, self._of_browser
        first, second = (
            (of_person, of_browser) if self._person_comes_first else (of_browser, of_person)
        )
        return first() or second() or self._asked_for() or self._default

    def _of_person(self) -> str | None:
        return _spoken(self._person_language()) if self._person_language else None

    def _of_browser(self) -> str | None:
        return _spoken(request.cookies.get(self._cookie))

    def _asked_for(self) -> str | None:
        ui_locales = request.args.get("ui_locales", "")[:_LONGEST_LIST].split()
        return (
            acceptable_language(ui_locales)
            or _spoken(session.get(_ASKED))
            or acceptable_language(language for language, _ in request.accept_languages)
        )


# Made once for each language that we speak: every page asks, and Babel reads the name anew each time.
@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)


def ask_for_language(wanted: Iterable[str]) -> None:
    """Let the pages that follow speak what an application asks for; of nothing, forget what was asked.

    It stands behind what the person chose, and is forgotten with the pre-session.
    """
    language = acceptable_language(wanted)
    if language is not None:
        session[_ASKED] = language
    else:
        session.pop(_ASKED, None)


def acceptable_language(wanted: Iterable[str]) -> str | None:
    """The first language of a list of BCP 47 tags that we speak.

    >>> acceptable_language(["de-AT", "pl-PL", "en"])
    'pl'
    """
    return next((language for tag in wanted if (language := _spoken(tag))), None)


def current_language() -> str:
    """The language that is spoken right now, as `html lang` wants it."""
    locale = get_locale()
    return locale.language if locale else str(current_app.config["BABEL_DEFAULT_LOCALE"])


def _spoken(tag: str | None) -> str | None:
    language = (tag or "").replace("_", "-").partition("-")[0].lower()
    return language if language in LANGUAGES else None
