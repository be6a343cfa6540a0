"""Pages that say the same to everybody but for a few values: rendered once, with blanks for these.

A page of signing in differs from reader to reader in the address of its form, in the form token and
in what was typed. It is rendered once for each language and theme with marks in those places, and
kept as the pieces between them; each reader's values are escaped and put in. No value is ever kept.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from flask import Flask, current_app, render_template, session
from markupsafe import escape

from kernel.i18n import current_language
from kernel.web.csrf import form_token
from kernel.web.policy import no_referrer
from kernel.web.preferences import current_theme, this_page

Values = Mapping[str, str]
Words = Callable[[Values], Mapping[str, Any]]

_EXTENSION = "klucznik.printed"
# What the layout asks of a request by itself.
_ASKED: Mapping[str, Callable[[], str]] = {"csrf_token": form_token, "this_page": this_page}
# Templates, languages and themes are few; nobody else chooses what is kept.
_MOST_KEPT = 256


def set_up_printing(app: Flask) -> None:
    """Give the program a place for its printed pages."""
    app.extensions[_EXTENSION] = {}


def fill_in(template: str, values: Values, words: Words, *, kind: str = "") -> str:
    """A page in the bare layout: what `render_template(template, **words(values))` says.

    `words` puts values where the template looks for them, and is told marks instead when the page is
    printed. So a template may show a value, but not decide by it: what is decided (by settings, by
    a value that is missing) stands in `kind`, or in which values there are.
    """
    if "_flashes" in session or current_app.jinja_env.auto_reload:
        return render_template(template, **words(values))
    no_referrer()
    kept: dict[tuple[object, ...], _Printed] = current_app.extensions[_EXTENSION]
    key = (template, kind, current_language(), current_theme(), *values)
    printed = kept.get(key)
    if printed is None:
        printed = _print(template, tuple(values), words)
        if len(kept) < _MOST_KEPT:
            kept[key] = printed
    written = {
        name: escape(values[name] if name in values else _ASKED[name]()) for name in printed.names
    }
    pieces = printed.pieces.copy()
    pieces[1::2] = [written[name] for name in pieces[1::2]]
    return "".join(pieces)


class _Printed(NamedTuple):
    """A page with blanks."""

    pieces: list[str]
    """Constant text; every second one is the name of what goes there."""
    names: frozenset[str]


def _print(template: str, names: tuple[str, ...], words: Words) -> _Printed:
    # Nothing that a reader sends can look like a mark: it is drawn anew, and no value is in the page.
    drawn = secrets.token_hex(16)
    order = (*names, *_ASKED)
    marks = {name: f"{drawn}{place}x" for place, name in enumerate(order)}
    asked = {name: partial(str, marks[name]) for name in _ASKED}
    page = render_template(template, **{**words(marks), **asked})
    pieces = re.split(f"{drawn}([0-9]+)x", page)
    pieces[1::2] = [order[int(place)] for place in pieces[1::2]]
    return _Printed(pieces, frozenset(pieces[1::2]))
