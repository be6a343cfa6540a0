"""What people do about their passwords and factors, and what it does to everything that is open."""

from collections.abc import Callable

import pyotp
import pytest
from playwright.sync_api import expect

from tests.installation import Installation
from tests.journeys.traveller import Traveller

OLD = "trzy spokojne kominy"
NEW = "dwa zamglone mosty"
Travellers = Callable[..., Traveller]


@pytest.mark.product("ID-8")
@pytest.mark.security("3.5", "5.5")
def test_a_forgotten_password_is_reset_by_mail_and_ends_what_was_open(
    running: Installation, travellers: Travellers
):
    email = "rafal.reset@klucznik.example"
    before, after = travellers(), travellers()
    before.register(email, OLD)

    after.go(f"{running.portal}/login")
    after.fill(email=email)
    after.page.locator('main a[href*="/reset"]').first.click()
    after.look()
    after.fill(email=email)
    expect(after.field("code")).to_be_visible()
    after.look()
    after.fill(code=running.mailbox.newest_code(email))
    expect(after.field("new_password")).to_be_visible()
    after.look()
    after.fill(new_password=NEW)
    # A reset signs nobody in: the new password is asked for, and no second mail.
    sign_in_after_reset(after, email)

    after.expect_signed_in_at(running.portal)
    before.expect_signed_out_of(running.portal)


@pytest.mark.product("ID-8")
@pytest.mark.security("1.7")
def test_a_changed_password_signs_out_everywhere_else(
    running: Installation, travellers: Travellers
):
    email = "zofia.zmiana@klucznik.example"
    here, elsewhere = travellers(), travellers()
    here.register(email, OLD)
    elsewhere.go(f"{running.crm}/login")
    elsewhere.sign_in(email, OLD)
    elsewhere.expect_signed_in_at(running.crm)

    here.go(f"{running.identity}/account/password")
    here.look()
    here.fill(password=OLD, new_password=NEW)
    here.expect_at(f"{running.identity}/account/security")
    here.look()

    elsewhere.expect_signed_out_of(running.crm)
    here.go(running.portal)
    here.expect_signed_in_at(running.portal)
    assert running.mailbox.wait_for(email, where=lambda mail: "password" in mail.subject.lower())


@pytest.mark.product("ID-6")
@pytest.mark.security("4.3")
def test_a_recovery_code_gets_in_once_when_the_phone_is_lost(
    running: Installation, travellers: Travellers
):
    email = "karol.kartka@klucznik.example"
    traveller = travellers()
    traveller.register(email, OLD)
    codes = add_an_authenticator_app(traveller)
    traveller.go(running.portal)
    traveller.sign_out()

    traveller.go(f"{running.portal}/login")
    sign_in_from_paper(traveller, email, codes[0])
    traveller.expect_signed_in_at(running.portal)
    traveller.sign_out()
    traveller.go(f"{running.portal}/login")
    sign_in_from_paper(traveller, email, codes[0])

    expect(traveller.page.locator('[aria-invalid="true"]')).to_be_visible()
    expect(traveller.field("code")).to_be_visible()


def sign_in_after_reset(traveller: Traveller, email: str) -> None:
    """The address may be known already; the password is asked for in any case."""
    traveller.expect_at(f"{traveller.running.identity}/sign-in")
    if "/sign-in/password" not in traveller.page.url:
        traveller.fill(email=email)
    traveller.fill(password=NEW)


def add_an_authenticator_app(traveller: Traveller) -> list[str]:
    """Enrol on the page for it; returns the recovery codes."""
    traveller.go(f"{traveller.running.identity}/account/security")
    traveller.look()
    traveller.go(f"{traveller.running.identity}/account/authenticator")
    traveller.look()
    key = traveller.page.locator("code.secret").inner_text()
    traveller.fill(code=pyotp.TOTP(key.replace(" ", "")).now())
    expect(traveller.page.locator("ul.secrets li")).to_have_count(10)
    traveller.look()
    return traveller.page.locator("ul.secrets li").all_inner_texts()


def sign_in_from_paper(traveller: Traveller, email: str, code: str) -> None:
    """Password, then «Use a recovery code»."""
    traveller.fill(email=email)
    traveller.fill(password=OLD)
    traveller.page.locator('main a[href*="way=recovery"]').click()
    traveller.look()
    traveller.fill(code=code)
