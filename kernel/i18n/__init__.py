"""Languages: plain English in the code, Polish beside it in each package's `translations/pl`.

    from kernel.i18n import _, lazy_gettext, ngettext

`python -m kernel.i18n update <package>` brings a package's catalog up to date with its code. Start
at `catalogs` for how texts are found, at `choice` for whose language is spoken.
"""

from flask_babel import (
    force_locale,
    gettext,
    lazy_gettext,
    lazy_ngettext,
    lazy_pgettext,
    ngettext,
    npgettext,
    pgettext,
)

from kernel.i18n.choice import (
    LANGUAGE_COOKIE,
    LANGUAGES,
    acceptable_language,
    ask_for_language,
    current_language,
)
from kernel.i18n.formats import (
    format_day,
    format_decimal,
    format_moment,
    format_money,
    format_number,
)
from kernel.i18n.setup import in_time_zone, set_up_languages

_ = gettext
speaking = force_locale

__all__ = [
    "LANGUAGES",
    "LANGUAGE_COOKIE",
    "_",
    "acceptable_language",
    "ask_for_language",
    "current_language",
    "force_locale",
    "format_day",
    "format_decimal",
    "format_moment",
    "format_money",
    "format_number",
    "gettext",
    "in_time_zone",
    "lazy_gettext",
    "lazy_ngettext",
    "lazy_pgettext",
    "ngettext",
    "npgettext",
    "pgettext",
    "set_up_languages",
    "speaking",
]
