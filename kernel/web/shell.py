"""What a program's pages hang in: navigation at the side, the person's menu at the top right.

A program hands its parts to templates with a context processor:

    @app.context_processor
    def _shell() -> dict[str, object]:
        return {
            "navigation": [NavigationItem(_("Home"), url_for("home.page"), "home")],
            "person_menu": PersonMenu(name="Anna Nowak", email="anna@…", links=[…], sign_out="/logout"),
        }
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from flask import Flask, flash, request

_TONES = 6


@dataclass(frozen=True)
class NavigationItem:
    """One line of the sidebar; with `items`, a heading with lines below it."""

    text: object
    url: str = ""
    icon: str = ""
    count: int | None = None
    items: Sequence["NavigationItem"] = ()
    section: str = ""
    """A path: the item is current on every page below it. Empty: on its own page alone."""
    also: Sequence[str] = ()
    """More such paths, for pages that have no line of their own."""

    @property
    def is_current(self) -> bool:
        sections = (self.section, *self.also) if self.section else self.also
        if any(_is_below(section) for section in sections):
            return True
        return not self.section and request.path == self.url.partition("?")[0]


@dataclass(frozen=True)
class MenuLink:
    """One line of a menu."""

    text: object
    url: str
    icon: str = ""


@dataclass(frozen=True)
class PersonMenu:
    """The person's menu at the top right."""

    name: str
    email: str
    sign_out: str
    """Where the sign-out form posts to."""
    links: Sequence[MenuLink] = ()
    picture: str = ""


@dataclass(frozen=True)
class Application:
    """What the shell says about the program itself."""

    name: object
    home: str = "/"
    help: str = ""


@dataclass(frozen=True)
class Page:
    """A page of a long list: which rows, of how many."""

    number: int
    size: int
    total: int

    @property
    def first(self) -> int:
        return min((self.number - 1) * self.size + 1, self.total)

    @property
    def last(self) -> int:
        return min(self.number * self.size, self.total)

    @property
    def count(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def has_previous(self) -> bool:
        return self.number > 1

    @property
    def has_next(self) -> bool:
        return self.number < self.count


@dataclass(frozen=True)
class Column:
    """A column of a table; with a `sort` key its heading is a link that sorts."""

    text: object
    sort: str = ""
    numeric: bool = False
    classes: str = field(default="")


def toast(text: str, *, kind: str = "success") -> None:
    """Say that something is done, on the next page shown, and to screen readers."""
    flash(text, kind)


def initials(name: str) -> str:
    """One or two letters for an avatar.

    >>> initials("Anna Nowak"), initials("anna@example.pl"), initials("")
    ('AN', 'A', '?')
    """
    words = [word for word in re.split(r"[\s.]+", name.partition("@")[0]) if word]
    if "@" in name:
        words = words[:1]
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [word[0] for word in words]
    return "".join(letters).upper() or "?"


def tone(name: str) -> int:
    """Which of the avatar colours a name gets: always the same one."""
    return sum(name.encode()) % _TONES


def page_url(**changes: object) -> str:
    """This page's address with other query parameters (a page number, a sorting)."""
    arguments = request.args.to_dict()
    arguments.update({name: str(value) for name, value in changes.items() if value is not None})
    for name, value in changes.items():
        if value is None:
            arguments.pop(name, None)
    query = "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in arguments.items())
    return f"{request.path}?{query}" if query else request.path


def set_up_shell(app: Flask) -> None:
    """Give the templates what they need to draw the shell."""
    app.jinja_env.globals.update(initials=initials, tone=tone, page_url=page_url)
    app.context_processor(_nothing_yet)


def _is_below(section: str) -> bool:
    return request.path == section or request.path.startswith(section.rstrip("/") + "/")


def _nothing_yet() -> dict[str, object]:
    """What programs replace with their own context processors, which come later and win."""
    return {
        "navigation": (),
        "person_menu": None,
        "application": Application(name=""),
        "context_switch": None,
        "context_name": None,
    }


def _quoted(text: str) -> str:
    return quote(text, safe="")
