"""What people do about their passwords and factors, and what it does to everything that is open."""

from collections.abc import Callable

import pyotp
import pytest
from playwright.sync_api import expect

from tests.installation import Installation
from tests.journeys.test_pages import width_beyond_the_screen
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
    running.open_account("Na wszystkich urządzeniach", admin=email)
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


@pytest.mark.product("ID-7")
@pytest.mark.security("4.7")
def test_a_remembered_device_skips_the_code_until_it_is_removed(
    running: Installation, travellers: Travellers
):
    email = "renata.ramowa@klucznik.example"
    here, elsewhere = travellers(), travellers(width=390, touch=True)
    here.register(email, OLD)
    elsewhere.go(f"{running.portal}/login")
    elsewhere.sign_in(email, OLD, remember=True)
    elsewhere.expect_signed_in_at(running.portal)
    elsewhere.sign_out()
    elsewhere.go(f"{running.portal}/login")
    elsewhere.fill(email=email)
    elsewhere.fill(password=OLD)
    elsewhere.expect_signed_in_at(running.portal)
    elsewhere.sign_out()

    here.go(f"{running.identity}/account/security")
    here.look()
    here.press('form[action^="/account/devices/"] button')
    here.expect_at(f"{running.identity}/account/sessions")
    here.look()

    elsewhere.go(f"{running.portal}/login")
    elsewhere.fill(email=email)
    elsewhere.fill(password=OLD)
    expect(elsewhere.field("code")).to_be_visible()


@pytest.mark.product("ID-7")
@pytest.mark.security("5.5", "5.6")
@pytest.mark.parametrize("language", ["pl", "en"])
def test_a_session_that_is_ended_elsewhere_is_over_in_every_application(
    running: Installation, travellers: Travellers, language: str
):
    email = f"sylwia.sesja.{language}@klucznik.example"
    here = travellers(language=language, theme={"pl": "dark", "en": "light"}[language])
    elsewhere = travellers(language=language)
    here.register(email, OLD)
    elsewhere.go(f"{running.portal}/login")
    elsewhere.sign_in(email, OLD)
    elsewhere.expect_signed_in_at(running.portal)
    add_an_authenticator_app(here)

    here.go(f"{running.identity}/account/sessions")
    here.look()
    # Two buttons beside each other, with long words on them.
    assert width_beyond_the_screen(here.page, 1440) == {}
    here.go(f"{running.identity}/account/security")
    here.look()
    here.press('form[action^="/account/sessions/0"] button')
    here.expect_at(f"{running.identity}/account/sessions")

    elsewhere.expect_signed_out_of(running.portal)
    elsewhere.expect_signed_out_of(f"{running.identity}/account")
    here.go(f"{running.identity}/account/history")
    here.look()
    here.go(f"{running.identity}/account/history?show=changes")
    here.look()
    here.go(running.portal)
    here.expect_signed_in_at(running.portal)


@pytest.mark.product("ID-7")
@pytest.mark.security("5.6")
def test_signing_out_on_all_devices_ends_here_too(running: Installation, travellers: Travellers):
    email = "wanda.wszedzie@klucznik.example"
    here, elsewhere = travellers(), travellers()
    here.register(email, OLD)
    running.open_account("Na wszystkich urządzeniach", admin=email)
    elsewhere.go(f"{running.crm}/login")
    elsewhere.sign_in(email, OLD)
    elsewhere.expect_signed_in_at(running.crm)

    here.go(f"{running.identity}/account/security")
    here.press('[popovertarget="end-all"]')
    here.press('form[action="/account/sessions/end-all"] .btn-danger')
    here.expect_at(f"{running.identity}/sign-in")
    here.look()

    elsewhere.expect_signed_out_of(running.crm)
    here.expect_signed_out_of(running.portal)


@pytest.mark.product("ID-7")
@pytest.mark.security("2.8", "3.2", "5.5")
@pytest.mark.parametrize(("language", "scripts"), [("pl", True), ("en", True), ("en", False)])
def test_this_was_not_me_locks_ends_and_leads_to_a_new_password(
    running: Installation, travellers: Travellers, language: str, scripts: bool
):
    email = f"nina.nieja.{language}.{scripts}@klucznik.example".lower()
    owner, thief = travellers(language=language, scripts=scripts), travellers(language=language)
    owner.register(email, OLD)
    thief.go(f"{running.portal}/login")
    thief.sign_in(email, OLD, remember=True)
    thief.expect_signed_in_at(running.portal)

    owner.go(running.mailbox.link(email, "/not-me"))
    owner.expect_at(f"{running.identity}/not-me")
    assert "token" not in owner.page.url
    owner.look()
    thief.go(running.portal)
    thief.expect_signed_in_at(running.portal)
    owner.press('form[action="/not-me"] button[type="submit"]')

    expect(owner.field("new_password")).to_be_visible()
    owner.look()
    thief.expect_signed_out_of(running.portal)
    thief.fill(email=email)
    thief.fill(password=OLD)
    expect(thief.page.locator('main a[href^="/reset"]')).to_be_visible()
    thief.look()

    owner.fill(new_password=NEW)
    sign_in_after_reset(owner, email)
    owner.expect_at(f"{running.identity}/account/security")
    owner.look()
    thief.go(f"{running.portal}/login")
    if thief.field("email").is_visible():
        thief.fill(email=email)
    thief.fill(password=NEW)
    expect(thief.field("code")).to_be_visible()


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
