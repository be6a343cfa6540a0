"""Take the pictures of the README anew, from the running product.

.venv/bin/python -m tools.pictures
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import ViewportSize, sync_playwright

from tests.installation import installation
from tests.journeys.traveller import ARGUMENTS, Traveller, chromium
from tools.shell import ROOT, say

FOLDER = ROOT / "docs" / "pictures"
SIZE = ViewportSize(width=1280, height=880)


def main() -> int:
    """Sign a demo person in and take a picture of what they see."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, installation(Path(home)) as running:
        # The README is in English, and so is what this one reads.
        person = next(
            one for one in running.answer("demo")["people"] if one["email"].startswith("ellen.")
        )
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
            context = browser.new_context(locale="en-GB", viewport=SIZE, device_scale_factor=1.5)
            traveller = Traveller(running, context, name="pictures")
            traveller.go(f"{running.portal}/login")
            _take(traveller, "sign-in")
            traveller.sign_in(
                person["email"], person["password"], totp_secret=person.get("totp_secret")
            )
            traveller.expect_signed_in_at(running.portal)
            _take(traveller, "portal")
            browser.close()
    return 0


def _take(traveller: Traveller, name: str) -> None:
    path = FOLDER / f"{name}.png"
    traveller.page.wait_for_load_state("networkidle")
    traveller.page.screenshot(path=path)
    say(f"taken: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
