"""A person with a browser, in the words of a journey.

What people read differs by language and may be reworded; journeys find their way by the names of
fields, by the addresses of pages and by the few buttons that every page of a kind has.
"""

import hashlib
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pyotp
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.installation import ROOT, Installation

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# Where pictures of every page that is looked at go, when somebody wants to look, too.
PICTURES = os.environ.get("KLUCZNIK_TEST_PICTURES")
SIZES = {"wide": 1440, "narrow": 390}
# All of a page that a barrier can be made of: its parts as they are shown and named, its words, and on
# what it is shown. Addresses and numbers differ from person to person, and no barrier comes of them.
LOOKS = r"""() => {
  const plain = (text) => text.replace(/\S+@\S+/g, "@").replace(/[0-9a-f]{8,}|[\w-]{20,}|\d+/gi, "0").trim();
  const parts = [innerWidth, matchMedia("(prefers-color-scheme: dark)").matches, document.title];
  for (const one of document.querySelectorAll("*")) {
    parts.push(one.tagName, one.checkVisibility({ visibilityProperty: true }));
    for (const { name, value } of one.attributes)
      parts.push(name, /^(id|for|class|lang|role|type|name|tabindex|aria-.*|data-bs-theme)$/.test(name) ? plain(value) : "");
    for (const inside of one.childNodes) if (inside.nodeType === 3) parts.push(plain(inside.data));
  }
  return parts.join("\n");
}"""
_looked_at: set[bytes] = set()
_WORD_ARRIVES_WITHIN = 20
_SERIOUS = {"serious", "critical"}
# Milliseconds. Nobody measures here: a machine may be busy with other things.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


def chromium() -> str:
    """The browser's program."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "Chromium is missing (Debian: chromium)"
    return found


class Traveller:
    """Somebody on the way through our pages."""

    def __init__(
        self, running: Installation, context: BrowserContext, *, name: str, scripts: bool = True
    ) -> None:
        self.running = running
        self.context = context
        self.problems: list[str] = []
        self.scripts = scripts
        # Whom one can tell from another by, in addresses that are made up on the way.
        self.kind = "somebody"
        self._name = re.sub(r"[^\w.-]+", "-", name)
        self._pictures = 0
        context.set_default_timeout(PATIENCE)
        context.on("page", self._listen)
        self.page = context.new_page()

    def _listen(self, page: Page) -> None:
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        # A refused form comes back with a status of 4xx, which Chromium reports as an error.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(f"{self.page.url}: {message.text}")

    def go(self, url: str) -> None:
        """Type an address."""
        self.page.goto(url)

    def field(self, name: str) -> Locator:
        """The visible field of this name."""
        return self.page.locator(
            f'main input[name="{name}"]:visible, form input[name="{name}"]:visible'
        ).first

    def press(self, selector: str) -> None:
        """Press the first button or link of this kind."""
        self.page.locator(selector).first.click()

    def fill(self, **values: str) -> None:
        """Type into fields and send the form that they are in."""
        for name, value in values.items():
            self.field(name).fill(value)
        last = self.field(list(values)[-1])
        last.locator("xpath=ancestor::form").locator(
            'button[type="submit"], button:not([type])'
        ).first.click()

    def sign_in(
        self, email: str, password: str, *, totp_secret: str | None = None, remember: bool = False
    ) -> None:
        """Through the pages of signing in, from the first to the application behind them."""
        self.fill(email=email)
        self.look()
        self.fill(password=password)
        expect(self.field("code")).to_be_visible()
        self.look()
        if remember:
            self.page.locator('input[name="remember"]').check()
        code = (
            pyotp.TOTP(totp_secret).now()
            if totp_secret is not None
            else self.running.mailbox.newest_code(email)
        )
        self.fill(code=code)

    def expect_at(self, url: str) -> None:
        """Wait until the browser is somewhere under this address."""
        expect(self.page).to_have_url(re.compile(rf"^{re.escape(url)}(/|\?|$)"), timeout=PATIENCE)

    def expect_signed_in_at(self, url: str) -> None:
        """The page there has a person's menu."""
        self.expect_at(url)
        expect(self.page.locator(".person-menu")).to_be_visible()

    def register(self, email: str, password: str) -> None:
        """Make an ID at the portal: address, code from the mail, password."""
        self.go(f"{self.running.portal}/login")
        self.look()
        self.page.locator('main a[href*="/register"]').click()
        self.look()
        self.fill(email=email)
        expect(self.field("code")).to_be_visible()
        self.look()
        self.fill(code=self.running.mailbox.newest_code(email))
        expect(self.field("new_password")).to_be_visible()
        self.look()
        self.fill(new_password=password)
        self.expect_signed_in_at(self.running.portal)

    def expect_signed_out_of(self, url: str) -> None:
        """Whoever goes there is asked to sign in; word of it may take a moment to arrive."""
        deadline = time.monotonic() + _WORD_ARRIVES_WITHIN
        self.go(url)
        while not self.page.url.startswith(f"{self.running.identity}/sign-in"):
            assert time.monotonic() < deadline, self.page.url
            time.sleep(0.1)
            self.go(url)

    def sign_out(self) -> None:
        """By the menu at the top right."""
        menu = self.page.locator(".person-menu")
        menu.locator("summary").click()
        menu.locator("form.menu-foot button").click()
        expect(self.page.locator("[data-page='signed-out'], [data-signed-out]")).to_be_visible()

    def look(self) -> None:
        """Look at a page as people with and without good eyes do: nothing serious may be wrong.

        Many journeys pass the same pages: what looks the same is looked at once.
        """
        # The eyes of axe are a script too.
        if self.scripts:
            self._refuse_barriers()
        self._take_pictures()

    def _refuse_barriers(self) -> None:
        looks = hashlib.sha256(self.page.evaluate(LOOKS).encode()).digest()
        if looks in _looked_at:
            return
        self.page.evaluate(AXE.read_text())
        found: dict[str, Any] = self.page.evaluate(
            "axe.run({resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', "
            "'wcag21aa', 'wcag22aa', 'best-practice']})"
        )
        serious = [
            f"{self.page.url}: {one['id']}: {one['help']}: {one['nodes'][0]['html'][:300]}"
            for one in found["violations"]
            if one["impact"] in _SERIOUS
        ]
        assert serious == []
        _looked_at.add(looks)

    def _take_pictures(self) -> None:
        if not PICTURES:
            return
        self._pictures += 1
        folder = Path(PICTURES)
        folder.mkdir(parents=True, exist_ok=True)
        before = self.page.viewport_size
        for size, width in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": 900})
            file = folder / f"{self._name}-{self._pictures:02}-{size}.png"
            self.page.screenshot(path=file, full_page=True)
        if before:
            self.page.set_viewport_size(before)
