"""The parts of our look in a real browser, on the developers' gallery: readable, narrow, without scripts."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect
from werkzeug.serving import make_server

from kernel.web.gallery import create_gallery
from tests.journeys.traveller import AXE

PAGES = ["", "list", "empty", "form", "sign-in/email", "sign-in/password", "sign-in/code", "sign-in/new", "nowhere"]  # fmt: skip
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def gallery() -> Iterator[str]:
    """The gallery on a free port."""
    probe = make_server("127.0.0.1", 0, lambda *_: [])
    port = probe.server_port
    probe.server_close()
    server = make_server("127.0.0.1", port, create_gallery(port), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{port}/_gallery/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_page(gallery: str, browser: Browser) -> Iterator[OpenPage]:
    """`open_page(path, width=…, theme=…, scripts=…)`; nothing may have been blocked in the end."""
    contexts, problems = [], []

    def open_one(
        path: str, *, width: int = 1440, theme: str = "light", scripts: bool = True
    ) -> Page:
        options: dict[str, Any] = {"color_scheme": theme, "java_script_enabled": scripts}
        context = browser.new_context(
            locale="pl-PL", viewport={"width": width, "height": 800}, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda said: problems.append(said.text) if "Content Security" in said.text else None,
        )
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(gallery + path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert problems == []


@pytest.mark.security("20.11", "14.2")
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_nobody_meets_a_barrier(open_page, path, theme, width):
    page = open_page(path, theme=theme, width=width)

    page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)

    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_the_smallest_screen(open_page, path):
    page = open_page(path, width=320)

    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") <= 0


@pytest.mark.parametrize("scripts", [True, False])
def test_the_menu_of_a_small_screen_opens_and_closes(open_page, scripts):
    page = open_page("", width=390, scripts=scripts)
    expect(page.locator("#sidebar")).to_be_hidden()

    page.click(".topbar-menu")
    expect(page.locator("#sidebar")).to_be_visible()

    page.keyboard.press("Escape")
    expect(page.locator("#sidebar")).to_be_hidden()


@pytest.mark.parametrize("scripts", [True, False])
def test_the_sidebar_folds_and_stays_folded(open_page, scripts):
    page = open_page("", scripts=scripts)

    page.click(".sidebar-fold")
    expect(page.locator("html.is-folded")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.reload()

    expect(page.locator("html.is-folded")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_menus_and_questions_open_without_a_mouse(open_page, scripts):
    page = open_page("list", scripts=scripts)

    page.locator(".person-button").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".person-menu .menu-panel")).to_be_visible()

    page.locator(".row-menu").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".row-menu-panel").first).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_language_and_theme_are_chosen_at_the_foot(open_page, scripts):
    page = open_page("sign-in/email", scripts=scripts)

    page.click('.preferences [value="dark"]')
    expect(page.locator('html[data-bs-theme="dark"]')).to_be_visible()
    page.click('.preferences [value="en"]')
    expect(page.locator('html[lang="en"][data-bs-theme="dark"]')).to_be_visible()


@pytest.mark.parametrize(
    ("theme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(22, 30, 37)")]
)
def test_the_theme_follows_the_system(open_page, theme, ground):
    page = open_page("sign-in/email", theme=theme, scripts=False)

    expect(page.locator(".bare-card")).to_have_css("background-color", ground)


@pytest.mark.security("1.2")
def test_a_password_can_be_shown_and_pasted_and_is_judged(open_page):
    page = open_page("sign-in/new")
    field = page.locator('[name="password"]')

    field.fill("krótkie")
    expect(page.locator(".meter-text")).to_have_text("Za krótkie")
    field.fill("cztery spokojne konie w galopie")
    expect(page.locator(".meter-text")).to_have_text("Bardzo dobre")
    page.click("[data-show]")

    expect(field).to_have_attribute("type", "text")
    assert field.input_value() == "cztery spokojne konie w galopie"


def test_without_scripts_nothing_is_offered_that_needs_them(open_page):
    page = open_page("sign-in/new", scripts=False)

    expect(page.locator("[data-show]")).to_be_hidden()
    expect(page.locator(".meter")).to_be_hidden()
    expect(page.locator("[data-caps-lock]")).to_be_hidden()


def test_several_mistakes_are_listed_first_and_lead_to_their_fields(open_page):
    page = open_page("form")

    page.get_by_role("button", name="Zapisz").click()
    expect(page.locator("[data-summary]")).to_be_focused()
    page.locator("[data-summary] a").first.click()

    expect(page.locator('[name="given_name"]')).to_be_focused()


def test_unsaved_work_is_not_lost_by_a_click(open_page):
    page = open_page("form")
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)

    page.locator('[name="given_name"]').fill("Anna")
    page.click("text=Użytkownicy")
    page.wait_for_url("**/list")

    assert asked == ["beforeunload"]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_post_that_leads_to_another_origin_gets_there(open_page, scripts):
    page = open_page("", scripts=scripts)
    page.context.route(
        "https://application.example/**", lambda route: route.fulfill(body="arrived")
    )

    page.click(".person-button")
    page.click(".menu-foot button")
    page.wait_for_url("https://application.example/callback?code=made-up")

    expect(page.locator("body")).to_have_text("arrived")
