"""The first time in: with a temporary password, too late, and by a welcome link on another device."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.installation import Installation
from tests.journeys.traveller import Traveller

PASSWORD = "trzy spokojne kominy"
Travellers = Callable[..., Traveller]


def given(running: Installation, email: str, how: str, *more: str) -> None:
    running.klucznik("person", "create", "--email", email, "--access", how, *more)


@pytest.mark.product("ID-9")
def test_a_temporary_password_an_own_one_and_one_is_in_the_portal(
    running: Installation, travellers: Travellers
):
    email = "tomasz.pierwszy@klucznik.example"
    given(running, email, "temporary-password", "--locale", "pl")
    temporary = running.mailbox.temporary_password(email)
    mail = running.mailbox.wait_for(email)
    traveller = travellers(language="pl")

    # The button of the mail leads to the portal's door.
    assert f"Zaloguj się: {running.portal}/login" in mail.text
    traveller.go(f"{running.portal}/login")
    traveller.fill(email=email)
    traveller.fill(password=temporary)
    expect(traveller.field("new_password")).to_be_visible()
    traveller.go(running.portal)
    assert traveller.page.url.startswith(f"{running.identity}/sign-in")
    traveller.go(f"{running.portal}/login")
    traveller.fill(email=email)
    traveller.fill(password=temporary)
    traveller.fill(new_password=PASSWORD)

    traveller.expect_signed_in_at(running.portal)
    assert temporary not in running.logs()
    again = travellers()
    again.go(f"{running.portal}/login")
    again.fill(email=email)
    again.fill(password=temporary)
    expect(again.page.locator("#password-error")).to_be_visible()


@pytest.mark.product("ID-9")
def test_too_late_a_reset_leads_to_the_portal_all_the_same(
    running: Installation, travellers: Travellers
):
    email = "celina.spozniona@klucznik.example"
    given(running, email, "temporary-password")
    temporary = running.mailbox.temporary_password(email)
    running.end_first_access(email)
    traveller = travellers()

    traveller.go(f"{running.portal}/login")
    traveller.fill(email=email)
    traveller.fill(password=temporary)
    traveller.press('main a.btn[href^="/reset"]')
    traveller.fill(email=email)
    traveller.fill(code=running.mailbox.newest_code(email))
    traveller.fill(new_password=PASSWORD)
    traveller.fill(password=PASSWORD)

    traveller.expect_signed_in_at(running.portal)


@pytest.mark.product("ID-10")
@pytest.mark.parametrize("scripts", [True, False])
def test_a_welcome_link_opened_on_another_device_leads_to_the_portal_there(
    running: Installation, travellers: Travellers, scripts: bool
):
    email = f"wiktor.witany.{scripts}@klucznik.example".lower()
    given(running, email, "welcome-link")
    link = running.mailbox.link(email, "/welcome")
    at_home, on_the_phone = travellers(), travellers(width=390, touch=True, scripts=scripts)
    at_home.go(f"{running.portal}/login")

    on_the_phone.go(link)
    assert on_the_phone.page.url == f"{running.identity}/welcome"
    on_the_phone.fill(new_password=PASSWORD)

    on_the_phone.expect_signed_in_at(running.portal)
    at_home.go(running.portal)
    assert at_home.page.url.startswith(f"{running.identity}/sign-in")
