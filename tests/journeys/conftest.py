"""Journeys: a real browser in front of a whole installation."""

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.installation import Installation, Mailbox, installation
from tests.journeys.traveller import ARGUMENTS, Traveller, chromium


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Mail catcher, identity, portal and CRM: real processes, ports of their own, a fresh home."""
    with installation(tmp_path_factory.mktemp("installation")) as made:
        yield made


@pytest.fixture
def mailbox(running: Installation) -> Mailbox:
    """Every mail that was sent."""
    return running.mailbox


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def travellers(
    running: Installation, browser: Browser, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Traveller]]:
    """`travellers(language="pl", scripts=True)`: a person with a browser of their own.

    When the test is over, nothing may have violated the content security policy, thrown an error
    or been written to the console as one.
    """
    made: list[Traveller] = []

    def new(
        *,
        language: str = "en",
        scripts: bool = True,
        width: int = 1440,
        theme: Literal["light", "dark"] = "light",
        touch: bool = False,
    ) -> Traveller:
        context = browser.new_context(
            locale={"pl": "pl-PL", "en": "en-GB"}[language],
            java_script_enabled=scripts,
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            has_touch=touch,
            is_mobile=touch,
        )
        name = f"{request.node.name}-{len(made)}"
        traveller = Traveller(running, context, name=name, scripts=scripts)
        traveller.kind = "-".join(
            [language, theme, "scripts" if scripts else "plain", str(touch).lower()]
        )
        made.append(traveller)
        return traveller

    yield new
    for one in made:
        one.context.close()
    assert [problem for one in made for problem in one.problems] == []


@pytest.fixture
def traveller(travellers: Callable[..., Traveller]) -> Traveller:
    """One person, who reads English."""
    return travellers()
