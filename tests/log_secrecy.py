"""No secret of a whole test run is in any log.

Every random value that the code draws, every password that is hashed or compared, is noted; after
each test the lines that were logged meanwhile are searched for all of them, and for anything that
looks like a signed token.
"""

import logging
import re
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

import argon2

from kernel.argon2id import Argon2id
from kernel.observability import logs

_WORD = re.compile(r"[A-Za-z0-9_~+/=-]{6,}")
_SIGNED_TOKEN = re.compile(r"eyJ[\w-]{16,}\.[\w-]+")
# Codes are the only small numbers that are secret; drawn from at least six digits.
_FEWEST_CODES = 10**6


class SecretWatch(logging.Handler):
    """Notes the secrets that are made, and what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._secrets: set[str] = set()
        self._phrases: set[str] = set()
        self._lines: list[str] = []

    def install(self) -> None:
        """Begin to watch, for the rest of this process."""
        logging.getLogger().addHandler(self)
        logs.write_line = self._watched(logs.write_line)
        for module, name, note in (
            (secrets, "token_urlsafe", self._note),
            (secrets, "token_hex", self._note),
            (secrets, "randbelow", self._note_code),
        ):
            setattr(module, name, _noting(getattr(module, name), note))
        for hasher in (Argon2id, argon2.PasswordHasher):
            for name in ("hash", "verify"):
                noting = _noting_password(getattr(hasher, name), self._phrases.add)
                setattr(hasher, name, noting)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what nobody writes; what is written is watched as it leaves the program."""
        if not logs.is_configured():
            self._lines.append(record.getMessage())

    def found(self) -> list[str]:
        """The lines logged since the last look that give something away."""
        lines, self._lines = self._lines, []
        return [line for line in lines if self.gives_away(line)]

    def gives_away(self, line: str) -> bool:
        """Whether a secret that we know of, or a signed token, stands in this line."""
        return (
            not self._secrets.isdisjoint(_WORD.findall(line))
            or any(phrase in line for phrase in self._phrases)
            or _SIGNED_TOKEN.search(line) is not None
        )

    def _watched(self, write: Callable[[str], None]) -> Callable[[str], None]:
        @wraps(write)
        def writing(line: str) -> None:
            self._lines.append(line)
            write(line)

        return writing

    def _note(self, value: str) -> None:
        # Request ids are drawn from the same source, and are there to be read: 16 characters.
        if len(value) > 16:
            self._secrets.add(value)

    def _note_code(self, value: int) -> None:
        if value >= _FEWEST_CODES:
            self._secrets.add(f"{value:08d}")


def _noting(make: Callable[..., Any], note: Callable[[Any], None]) -> Callable[..., Any]:
    @wraps(make)
    def making(*arguments: Any, **options: Any) -> Any:
        made = make(*arguments, **options)
        note(made)
        return made

    return making


def _noting_password(act: Callable[..., Any], note: Callable[[str], None]) -> Callable[..., Any]:
    @wraps(act)
    def acting(hasher: Any, *arguments: Any, **options: Any) -> Any:
        for argument in arguments:
            text = argument.decode() if isinstance(argument, bytes) else argument
            if isinstance(text, str) and len(text) >= 8 and not text.startswith("$argon2"):
                note(text)
        return act(hasher, *arguments, **options)

    return acting
