"""The main job: one ID, two applications, in and out of both."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.installation import Installation
from tests.journeys.traveller import Traveller

PASSWORD = "trzy spokojne kominy"
Travellers = Callable[..., Traveller]


@pytest.mark.product("ID-1", "ID-5", "ID-6", "OP-1", "OPS-1", "OPS-5")
def test_from_an_address_to_both_applications_and_out_again(
    running: Installation, traveller: Traveller
):
    email = "nina.nowa@klucznik.example"
    traveller.register(email, PASSWORD)
    account = running.open_account("Nowa i Córki", admin=email)
    traveller.sign_out()
    traveller.look()

    traveller.go(f"{running.portal}/login")
    traveller.sign_in(email, PASSWORD)
    traveller.expect_signed_in_at(running.portal)
    traveller.look()
    traveller.go(running.crm)
    traveller.expect_signed_in_at(f"{running.crm}/a/{account}")
    traveller.look()
    traveller.sign_out()

    expect(traveller.page.locator(".person-menu")).to_have_count(0)
    traveller.look()
    for application in (running.portal, running.crm):
        traveller.expect_signed_out_of(application)


@pytest.mark.product("ID-5", "ID-6")
def test_with_an_authenticator_app(running: Installation, traveller: Traveller):
    person = next(one for one in running.answer("demo")["people"] if one["totp_secret"])

    traveller.go(f"{running.crm}/login")
    traveller.sign_in(person["email"], person["password"], totp_secret=person["totp_secret"])
    traveller.expect_signed_in_at(running.crm)
    traveller.go(running.portal)
    traveller.expect_signed_in_at(running.portal)
    traveller.sign_out()

    for application in (running.portal, running.crm):
        traveller.expect_signed_out_of(application)


@pytest.mark.product("OPS-5")
def test_without_scripts(running: Installation, travellers: Travellers):
    person = running.answer("demo")["people"][0]
    traveller = travellers(scripts=False)

    traveller.go(f"{running.portal}/login")
    traveller.sign_in(person["email"], person["password"])
    traveller.expect_signed_in_at(running.portal)
    # Two accounts of this person have the CRM.
    account = running.account_of("Wilk Deweloper")
    traveller.go(running.crm)
    traveller.expect_at(f"{running.identity}/context")
    traveller.press(f'.choice[value="{account}"]')
    traveller.expect_signed_in_at(f"{running.crm}/a/{account}")
    traveller.sign_out()

    for application in (running.portal, running.crm):
        traveller.expect_signed_out_of(application)


@pytest.mark.product("ID-6")
def test_a_remembered_device_is_not_asked_for_a_code(running: Installation, travellers: Travellers):
    traveller = travellers()
    email = "rita.remembered@klucznik.example"
    traveller.register(email, PASSWORD)
    traveller.sign_out()
    traveller.go(f"{running.portal}/login")
    traveller.sign_in(email, PASSWORD, remember=True)
    traveller.expect_signed_in_at(running.portal)
    traveller.sign_out()

    traveller.go(f"{running.portal}/login")
    traveller.fill(email=email)
    traveller.fill(password=PASSWORD)

    traveller.expect_signed_in_at(running.portal)


@pytest.mark.product("ID-1")
def test_a_mailed_link_goes_on_on_another_device(running: Installation, travellers: Travellers):
    email = "leon.link@klucznik.example"
    at_the_desk, on_the_phone = travellers(), travellers(width=390)
    at_the_desk.go(f"{running.portal}/login")
    at_the_desk.page.locator('main a[href*="/register"]').click()
    at_the_desk.fill(email=email)
    link = running.mailbox.link(email, "/register/confirm")

    on_the_phone.go(link)
    on_the_phone.look()
    on_the_phone.page.locator("main form button").first.click()
    on_the_phone.look()
    on_the_phone.fill(new_password=PASSWORD)
    on_the_phone.expect_signed_in_at(running.identity)

    assert "token" not in on_the_phone.page.url


@pytest.mark.product("OPS-4")
@pytest.mark.parametrize(
    ("language", "heading", "in_the_mail"),
    [("pl", "Logowanie", "Twój kod"), ("en", "Sign-in", "Your code")],
)
def test_in_the_language_of_the_browser(
    running: Installation,
    travellers: Travellers,
    language: str,
    heading: str,
    in_the_mail: str,
):
    email = f"lara.{language}@klucznik.example"
    traveller = travellers(language=language)
    traveller.register(email, PASSWORD)
    traveller.sign_out()

    traveller.go(f"{running.portal}/login")
    expect(traveller.page.locator("h1")).to_have_text(heading)
    expect(traveller.page.locator("html")).to_have_attribute("lang", language)
    traveller.sign_in(email, PASSWORD)
    traveller.expect_signed_in_at(running.portal)

    expect(traveller.page.locator("html")).to_have_attribute("lang", language)
    assert [mail for mail in running.mailbox.messages(email) if in_the_mail in mail.text]
