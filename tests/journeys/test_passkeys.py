"""Passkeys in a real browser, with an authenticator that Chromium plays."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import CDPSession, expect

from tests.installation import Installation
from tests.journeys.traveller import Traveller

PASSWORD = "trzy spokojne kominy"
Travellers = Callable[..., Traveller]
# The oldest kind: one touches it, and that is all it can do.
PLAIN_KEY = {
    "protocol": "u2f",
    "transport": "usb",
    "hasResidentKey": False,
    "hasUserVerification": False,
    "isUserVerified": False,
}
NO_AUTOFILL = "PublicKeyCredential.isConditionalMediationAvailable = async () => false;"


class Device:
    """A finger on a reader, in Chromium's imagination."""

    def __init__(self, traveller: Traveller, **kind: Any) -> None:
        self._session: CDPSession = traveller.context.new_cdp_session(traveller.page)
        self._session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
            **kind,
        }
        made = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id = made["authenticatorId"]

    def passkeys(self) -> list[dict[str, Any]]:
        """What is kept on it."""
        found = self._session.send("WebAuthn.getCredentials", {"authenticatorId": self._id})
        return list(found["credentials"])

    def refuse(self) -> None:
        """The finger is not recognised from now on."""
        self._session.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": False}
        )


def add_a_passkey(traveller: Traveller, name: str) -> list[str]:
    """On the page for it; returns the recovery codes, if there are any."""
    traveller.go(f"{traveller.running.identity}/account/passkeys/add")
    traveller.field("name").fill(name)
    traveller.look()
    traveller.press("[data-passkey]")
    expect(traveller.page).to_have_url(re.compile(r"/account/passkeys(/add)?$"))
    expect(traveller.page.locator("ul.secrets li, ul.rows li").first).to_be_visible()
    traveller.look()
    return traveller.page.locator("ul.secrets li").all_inner_texts()


@pytest.mark.product("ID-5")
@pytest.mark.product("ID-6")
@pytest.mark.product("ID-7")
def test_a_passkey_is_added_signs_in_alone_is_renamed_and_removed(
    running: Installation, traveller: Traveller
):
    email = "paula.klucz@klucznik.example"
    traveller.register(email, PASSWORD)
    device = Device(traveller)
    traveller.go(f"{running.identity}/account/passkeys")
    traveller.look()

    assert len(add_a_passkey(traveller, "Laptop")) == 10
    assert len(device.passkeys()) == 1
    assert running.mailbox.wait_for(email, where=lambda mail: "passkey" in mail.subject.lower())

    traveller.go(running.portal)
    traveller.sign_out()
    traveller.page.add_init_script(NO_AUTOFILL)
    traveller.go(f"{running.portal}/login")
    traveller.look()
    traveller.press("[data-passkey]")
    traveller.expect_signed_in_at(running.portal)

    traveller.go(f"{running.identity}/account/passkeys")
    expect(traveller.page.locator("ul.rows")).to_contain_text("Laptop")
    traveller.press("ul.rows li a")
    traveller.look()
    traveller.fill(name="Work laptop")
    expect(traveller.page.locator("ul.rows")).to_contain_text("Work laptop")
    traveller.look()
    traveller.press("ul.rows [popovertarget]")
    traveller.press("ul.rows [popover] .btn-danger")
    expect(traveller.page.locator("ul.rows")).to_have_count(0)
    traveller.look()


@pytest.mark.product("ID-6")
def test_a_passkey_follows_the_password_and_recovery_codes_stand_in(
    running: Installation, traveller: Traveller
):
    email = "olga.klucz@klucznik.example"
    traveller.register(email, PASSWORD)
    Device(traveller, **PLAIN_KEY)
    codes = add_a_passkey(traveller, "Security key")

    for take in (lambda: traveller.press("[data-passkey]"), lambda: on_paper(traveller, codes[0])):
        traveller.go(running.portal)
        traveller.sign_out()
        traveller.go(f"{running.portal}/login")
        traveller.fill(email=email)
        traveller.look()
        traveller.fill(password=PASSWORD)
        traveller.expect_at(f"{running.identity}/sign-in/code")
        traveller.look()
        take()
        traveller.expect_signed_in_at(running.portal)


@pytest.mark.product("ID-5")
def test_a_passkey_that_is_picked_where_the_address_is_typed_signs_in(
    running: Installation, traveller: Traveller
):
    email = "wanda.klucz@klucznik.example"
    traveller.register(email, PASSWORD)
    Device(traveller)
    add_a_passkey(traveller, "Phone")
    traveller.go(running.portal)
    traveller.sign_out()

    # The imagined finger picks at once what the browser offers in the field.
    traveller.go(f"{running.portal}/login")

    traveller.expect_signed_in_at(running.portal)


@pytest.mark.product("ID-1")
def test_an_id_begins_with_a_passkey_and_no_password(running: Installation, traveller: Traveller):
    email = "renata.klucz@klucznik.example"
    Device(traveller)
    traveller.go(f"{running.portal}/login")
    traveller.press('main a[href*="/register"]')
    traveller.fill(email=email)
    expect(traveller.field("code")).to_be_visible()
    traveller.fill(code=running.mailbox.newest_code(email))
    expect(traveller.field("new_password")).to_be_visible()
    traveller.look()
    traveller.press("[data-passkey]")
    expect(traveller.page.locator("ul.secrets li")).to_have_count(10)
    traveller.look()
    traveller.press("main a.btn-primary")
    traveller.expect_signed_in_at(running.portal)

    traveller.go(f"{running.identity}/account/password")
    traveller.look()
    traveller.fill(new_password=PASSWORD)
    traveller.expect_at(f"{running.identity}/account/security")


@pytest.mark.product("ID-5")
@pytest.mark.parametrize("language", ["pl", "en"])
def test_whoever_cancels_is_told_how_to_go_on(
    running: Installation, travellers: Travellers, language: str
):
    traveller = travellers(language=language, width=390)
    device = Device(traveller)
    device.refuse()
    traveller.go(f"{running.portal}/login")

    traveller.press("[data-passkey]")

    error = traveller.page.locator("[data-passkey-error]")
    expect(error).to_be_visible()
    expect(error).to_contain_text({"pl": "Spróbuj ponownie", "en": "Try again"}[language])
    traveller.look()
    traveller.fill(email="hanna.wilk@klucznik.example")
    expect(traveller.field("password")).to_be_visible()


def on_paper(traveller: Traveller, code: str) -> None:
    """«Use a recovery code»."""
    traveller.press('main a[href*="way=recovery"]')
    traveller.look()
    traveller.fill(code=code)
