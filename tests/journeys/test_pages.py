"""Every page, looked at as people with and without good eyes, ears, hands and screens do.

What `pages` walks through, in Polish on a wide bright screen and in English on a phone in the dark;
and once more without scripts.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from kernel.i18n.catalogs import catalog_path, read_catalog
from tests.installation import Installation
from tests.journeys.pages import WALKS
from tests.journeys.traveller import Traveller

Travellers = Callable[..., Traveller]

PACKAGES = ("kernel", "idp", "consent", "relying_party", "portal", "crm", "klucznik")
SCREENS = {"pl": (1440, "light"), "en": (390, "dark")}
WIDTHS = (1440, 390, 320)
# What a person reads, or has read out: texts, and the attributes that are names of things.
TEXTS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const where = walker.currentNode.parentElement;
    if (!where.closest("script, style, iframe, pre, [lang]:not(html)")) found.push(walker.currentNode.data);
  }
  for (const name of ["aria-label", "title", "alt", "placeholder", "data-text-show", "data-text-hide"])
    for (const one of document.querySelectorAll(`[${name}]`)) found.push(one.getAttribute(name));
  return found.map((text) => text.replace(/\\s+/g, " ").trim()).filter(Boolean);
}"""
# What is too small for a finger. Links within a sentence may be (WCAG 2.5.8).
SMALL = """() => [...document.querySelectorAll("button, summary, input:not(.visually-hidden), select, .btn")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.type !== "hidden")
  .map((one) => [one.matches("[type=checkbox], [type=radio]") ? one.closest("label") ?? one : one])
  .map(([one]) => [one.outerHTML.slice(0, 120), one.getBoundingClientRect()])
  .filter(([, box]) => box.height < 43.5 || box.width < 43.5)
  .map(([html, box]) => `${Math.round(box.width)}x${Math.round(box.height)} ${html}`)"""

# What can be reached with Tab. Counted, so that each can be told from its likes.
CONTROLS = """() => {
  window.controls = [...document.querySelectorAll("a[href], button, summary, input, select")].filter(
    (one) => one.checkVisibility({ visibilityProperty: true }) && one.tabIndex >= 0 && one.type !== "hidden");
  document.activeElement.blur();
  return window.controls.length;
}"""
FOCUSED = """() => [
  window.controls.indexOf(document.activeElement),
  getComputedStyle(document.activeElement).boxShadow !== "none",
]"""


@pytest.mark.product("OPS-4", "OPS-5")
@pytest.mark.parametrize("language", SCREENS)
@pytest.mark.parametrize("walk", WALKS)
def test_every_page_is_for_everybody(travellers: Travellers, walk: str, language: str):
    width, theme = SCREENS[language]
    is_phone = width < 768
    traveller = travellers(language=language, width=width, theme=theme, touch=is_phone)
    titles: dict[tuple[str, str], set[str]] = {}

    for name in WALKS[walk](traveller):
        page = traveller.page
        page.wait_for_load_state()
        traveller.look()
        assert (name, width_beyond_the_screen(page, width)) == (name, {})
        assert (name, page.evaluate(SMALL) if is_phone else []) == (name, [])
        assert (name, in_the_other_language(page, language)) == (name, [])
        remember_title(titles, page)

    assert {title: sorted(paths) for title, paths in titles.items() if len(paths) > 1} == {}


@pytest.mark.product("OPS-5")
@pytest.mark.security("14.2")
@pytest.mark.parametrize("walk", ["signing in", "registering", "resetting", "at home"])
def test_every_page_works_without_scripts(travellers: Travellers, walk: str):
    traveller = travellers(language="pl", width=390, scripts=False)

    walked = list(WALKS[walk](traveller))

    assert len(walked) > 2


@pytest.mark.product("OPS-5")
def test_the_keyboard_alone_signs_in(running: Installation, traveller: Traveller):
    person = running.answer("demo")["people"][-1]
    keys = traveller.page.keyboard

    traveller.go(f"{running.portal}/login")
    keys.type(person["email"])
    keys.press("Enter")
    expect(traveller.field("password")).to_be_focused()
    keys.type(person["password"])
    keys.press("Enter")
    expect(traveller.field("code")).to_be_focused()
    keys.type(running.mailbox.newest_code(person["email"]))
    keys.press("Enter")
    traveller.expect_signed_in_at(running.portal)

    keys.press("Tab")
    expect(traveller.page.locator(".skip")).to_be_focused()
    expect(traveller.page.locator(".skip")).to_be_in_viewport()
    keys.press("Enter")
    keys.press("Tab")
    assert traveller.page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.product("OPS-5")
def test_the_focus_goes_everywhere_and_is_always_seen(running: Installation, traveller: Traveller):
    walk = WALKS["at home"](traveller)
    assert next(walk) == "portal, the first time"
    addresses = [
        running.portal,
        *(f"{running.identity}{path}" for path in ("/account", "/account/security", "/reset")),
    ]

    for address in addresses:
        traveller.go(address)
        controls = traveller.page.evaluate(CONTROLS)
        reached = set()
        # One may start in the middle, and passes the browser's own things on the way round.
        for _ in range(controls + 3):
            traveller.page.keyboard.press("Tab")
            number, has_ring = traveller.page.evaluate(FOCUSED)
            assert number == -1 or has_ring, traveller.page.evaluate(
                "document.activeElement.outerHTML"
            )
            reached.add(number)
        assert reached - {-1} == set(range(controls)), address


def width_beyond_the_screen(page: Page, width: int) -> dict[int, int]:
    """By how much a page is wider than screens are."""
    wider = {}
    for one in WIDTHS:
        page.set_viewport_size({"width": one, "height": 900})
        root = "document.documentElement"
        beyond = page.evaluate(f"{root}.scrollWidth - {root}.clientWidth")
        if beyond > 0:
            wider[one] = beyond
    page.set_viewport_size({"width": width, "height": 900})
    return wider


def in_the_other_language(page: Page, language: str) -> list[str]:
    """Texts of ours that are not in the language of the page."""
    expect(page.locator("html")).to_have_attribute("lang", language)
    foreign = texts_of("en" if language == "pl" else "pl")
    return [text for text in page.evaluate(TEXTS) if foreign.fullmatch(text)]


@cache
def texts_of(language: str) -> re.Pattern[str]:
    """All texts of ours in one language that read otherwise in the other."""
    pairs = [pair for package in PACKAGES for pair in _both(package)]
    both = {english for english, _ in pairs} & {polish for _, polish in pairs}
    texts = {english if language == "en" else polish for english, polish in pairs} - both
    return re.compile("|".join(sorted(map(_as_pattern, texts), key=len, reverse=True)))


def _both(package: str) -> Iterable[tuple[str, str]]:
    for message in read_catalog(catalog_path(package, "pl"), "pl"):
        if message.id:
            yield from zip(_forms(message.id), _forms(message.string), strict=False)


def _forms(text: Any) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _as_pattern(text: str) -> str:
    """A text with anything where a value is put in."""
    return ".+".join(re.escape(part) for part in re.split(r"%\(\w+\)[sd]", text))


def remember_title(titles: dict[tuple[str, str], set[str]], page: Page) -> None:
    """Which pages have which title. Errors are the same wherever they happen."""
    title, place = page.title(), urlsplit(page.url)
    assert re.fullmatch(r"\S.* · Klucznik", title)
    if page.locator(".error-page").count() == 0:
        titles.setdefault((place.netloc, title), set()).add(place.path)
