"""Writing a mail from its templates, in the language of its reader."""

import re
from typing import Any, NamedTuple

from flask import current_app
from jinja2 import Environment

from kernel import brand
from kernel.i18n import LANGUAGES, speaking
from kernel.mail.message import one_line
from kernel.settings import Settings

_GAP = re.compile(r"\n[ \n]*\n")
_ENVIRONMENT = "klucznik.mail.templates"


class RenderedMail(NamedTuple):
    """The three parts of a mail."""

    subject: str
    text: str
    html: str


def render_mail(name: str, locale: str | None, /, **context: Any) -> RenderedMail:
    """Write the mail `name` («registration/link») in this language, else in the installation's.

    Works in a worker: nothing of a request is needed, so links are given complete.
    """
    language = locale if locale in LANGUAGES else _default_language()
    words = {
        "brand_name": brand.NAME,
        "colours": brand.LIGHT,
        "dark_colours": brand.DARK,
        "mail_font": brand.FONT.replace('"', "'"),
        **context,
        "language": language,
    }
    with speaking(language):
        return RenderedMail(
            subject=one_line(_render(f"mail/{name}.subject.txt", words)),
            text=_without_gaps(_render(f"mail/{name}.txt", words)),
            html=_render(f"mail/{name}.html", words),
        )


def _render(template: str, words: dict[str, Any]) -> str:
    return _templates().get_template(template).render(words)


def _without_gaps(text: str) -> str:
    """The text with one empty line where blocks that stayed empty left several."""
    return _GAP.sub("\n\n", text).strip() + "\n"


def _templates() -> Environment:
    """The application's templates, but text stays text: only HTML is escaped.

    The context processors of pages are left out; they ask for a request.
    """
    environment: Environment | None = current_app.extensions.get(_ENVIRONMENT)
    if environment is None:
        environment = current_app.jinja_env.overlay(autoescape=_is_html)
        current_app.extensions[_ENVIRONMENT] = environment
    return environment


def _is_html(template: str | None) -> bool:
    return template is None or template.endswith(".html")


def _default_language() -> str:
    settings: Settings = current_app.extensions["klucznik.settings"]
    return settings.default_locale
