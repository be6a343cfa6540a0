"""What a context is, and how paths and grants spell it."""

import re
from dataclasses import dataclass
from typing import Self

from flask import Flask
from werkzeug.routing import BaseConverter

ACCOUNT_ID = "[0-9a-f]{12}"
COMPANY_ID = "[0-9a-f]{16}"
PREFIX = "/a"
_SPELLED = re.compile(f"({ACCOUNT_ID})(?:/c/({COMPANY_ID}))?")
_PATH = re.compile(f"{PREFIX}/({_SPELLED.pattern})(?:[/?].*)?", re.DOTALL)


@dataclass(frozen=True)
class Context:
    """An account, perhaps with one of its companies; without an account, the person alone."""

    account: str | None = None
    company: str | None = None

    def __str__(self) -> str:
        """As it stands in paths and in grants.

        >>> str(Context("0123456789ab")), str(Context("0123456789ab", "0123456789abcdef"))
        ('0123456789ab', '0123456789ab/c/0123456789abcdef')
        >>> str(PERSON)
        ''
        """
        if self.account is None:
            return ""
        return f"{self.account}/c/{self.company}" if self.company else self.account

    @classmethod
    def read(cls, text: str) -> Self:
        """The context that is spelled so; raises ValueError."""
        if not text:
            return cls()
        found = _SPELLED.fullmatch(text)
        if found is None:
            raise ValueError("not a context")
        return cls(found[1], found[2])


PERSON = Context()


def of_path(path: str) -> Context:
    """The context that a path of ours is in.

    >>> of_path("/a/0123456789ab/permissions?x=1").account
    '0123456789ab'
    >>> of_path("/applications") == of_path("/a/0123") == PERSON
    True
    """
    found = _PATH.fullmatch(path)
    return Context.read(found[1]) if found else PERSON


class _InPath(BaseConverter):
    """`<context:context>` in a rule."""

    regex = f"{ACCOUNT_ID}(?:/c/{COMPANY_ID})?"
    part_isolating = False

    def to_python(self, value: str) -> Context:
        return Context.read(value)

    def to_url(self, value: Context) -> str:
        return str(value)


def set_up(app: Flask) -> None:
    """Let the application's rules have contexts in them; call it before any is added."""
    app.url_map.converters["context"] = _InPath
