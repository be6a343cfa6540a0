"""Working in accounts and companies: choosing, switching, two at once, and being refused at the next click."""

import sqlite3
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from idp.demo.people import PEOPLE, DemoPerson
from tests.account_admin import AccountAdmin
from tests.installation import Installation, installation
from tests.journeys.traveller import Traveller

OFFICE, DEVELOPER, STUDIO = "Biuro Rachunkowe Wilk", "Wilk Deweloper", "Marsh Studio"
BAKERY, WAVE = "Piekarnia Kłos", "Studio Fala"
HANNA, MAREK, ELLEN, ZOFIA = PEOPLE
# Soak measures the second of OP-5. Here a machine may be as slow as it likes: without word of the
# event, an access token would go on for minutes.
PATIENCE = 60.0

Travellers = Callable[..., Traveller]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation of our own, since people lose roles here; its applications hear all that happens."""
    with installation(
        tmp_path_factory.mktemp("contexts"), settings={"KLUCZNIK_SECURITY_EVENT_BEAT_SECONDS": "2"}
    ) as made:
        deadline = time.monotonic() + 30
        while not all(hears_all(made, program) for program in ("portal", "crm")):
            assert time.monotonic() < deadline, "no heartbeat"
            time.sleep(0.05)
        yield made


def hears_all(running: Installation, program: str) -> bool:
    """Whether an application need not ask at each request."""
    with sqlite3.connect(running.home / f"{program}.sqlite3", timeout=10) as database:
        asked = "SELECT 1 FROM event_feeds WHERE whole_at IS NOT NULL"
        return bool(database.execute(asked).fetchall())


@pytest.fixture(scope="module")
def office(running: Installation) -> AccountAdmin:
    return AccountAdmin.of(running, running.account_of(OFFICE), HANNA)


@pytest.fixture(scope="module")
def developer(running: Installation) -> AccountAdmin:
    return AccountAdmin.of(running, running.account_of(DEVELOPER), MAREK)


def arrive(traveller: Traveller, person: DemoPerson, url: str) -> None:
    """Sign in on the way to an address."""
    traveller.go(url)
    traveller.sign_in(person.email, person.password, totp_secret=person.totp_secret)
    traveller.expect_signed_in_at(url)


def choose(page: Page, name: str) -> None:
    """By the switch at the top of the page, and the list behind it."""
    page.locator(".context-switch").click()
    page.locator(".context-list li", has_text=name).locator("a.btn").click()
    expect(page.locator(".context-switch")).to_contain_text(name)


def expect_refused_soon(page: Page) -> None:
    """The open page refuses at the next click, and says what to do."""
    told = time.monotonic()
    refusal = page.locator('.error-page[data-status="403"][data-code="no_access"]')
    while True:
        page.reload()
        if refusal.is_visible():
            break
        assert time.monotonic() - told < PATIENCE, page.url
    expect(refusal).to_contain_text("administrator")
    expect(refusal.locator("a.btn")).to_have_attribute("href", "/contexts")


@pytest.mark.product("TEN-9", "OP-3")
@pytest.mark.parametrize("scripts", [True, False])
def test_the_account_is_changed_from_the_top_bar_without_signing_in_again(
    running: Installation, travellers: Travellers, scripts: bool
):
    traveller = travellers(language="pl", scripts=scripts)
    office, developer = running.account_of(OFFICE), running.account_of(DEVELOPER)

    traveller.go(running.crm)
    traveller.sign_in(HANNA.email, HANNA.password)
    traveller.expect_at(f"{running.identity}/context")
    traveller.look()
    traveller.press(f'.choice[value="{office}"]')
    traveller.expect_signed_in_at(f"{running.crm}/a/{office}")
    traveller.look()
    traveller.press(".context-switch")
    traveller.expect_at(f"{running.crm}/contexts")
    traveller.look()
    traveller.press(f'.context-list a[href="/a/{developer}"]')

    traveller.expect_signed_in_at(f"{running.crm}/a/{developer}")
    expect(traveller.page.locator(".context-name")).to_have_text(DEVELOPER)
    # The application goes on where the person was last.
    traveller.go(running.crm)
    traveller.expect_signed_in_at(f"{running.crm}/a/{developer}")
    traveller.go(f"{running.portal}/contexts")
    choose(traveller.page, OFFICE)
    traveller.expect_signed_in_at(f"{running.portal}/a/{office}")


@pytest.mark.product("TEN-9", "OP-3")
def test_two_tabs_work_in_two_accounts(running: Installation, traveller: Traveller):
    office, developer = running.account_of(OFFICE), running.account_of(DEVELOPER)
    arrive(traveller, HANNA, f"{running.portal}/a/{office}")
    one, other = traveller.page, traveller.context.new_page()

    for application in (running.portal, running.crm):
        one.goto(f"{application}/a/{office}")
        other.goto(f"{application}/a/{developer}")
        choose(other, DEVELOPER)
        for _ in range(2):
            for tab, account, name, role in (
                (one, office, OFFICE, "admin"),
                (other, developer, DEVELOPER, "sprzedaż"),
            ):
                # From the mark at the top left to the permissions: the tab stays in its account.
                tab.locator(".sidebar-brand").click()
                expect(tab).to_have_url(f"{application}/a/{account}")
                expect(tab).to_have_title(
                    f"{tab.locator('h1').inner_text()} · {name} · "
                    f"{'Portal' if application == running.portal else 'CRM'} · Klucznik"
                )
                tab.locator(f'.sidebar a[href="/a/{account}/permissions"]').click()
                expect(tab.locator(".context-name")).to_have_text(name)
                expect(tab.locator("main .plain-list").first).to_have_text(role)


@pytest.mark.product("TEN-9", "OP-3", "TEN-8")
def test_a_company_is_a_context_of_its_own(
    running: Installation, traveller: Traveller, office: AccountAdmin
):
    account, bakery = office.account, office.companies()[BAKERY]
    arrive(traveller, ELLEN, f"{running.crm}/a/{account}/permissions")
    page = traveller.page
    # On the account as a whole she holds nothing.
    expect(page.locator("main")).to_contain_text("No role yet")
    traveller.look()

    traveller.press(".context-switch")
    traveller.press(".context-companies summary")
    traveller.look()
    page.locator(".context-companies a", has_text=BAKERY).click()
    traveller.expect_signed_in_at(f"{running.crm}/a/{account}/c/{bakery}")
    expect(page.locator(".context-switch")).to_contain_text(OFFICE)
    expect(page.locator(".context-company")).to_have_text(BAKERY)
    traveller.look()
    traveller.press(f'.sidebar a[href="/a/{account}/c/{bakery}/permissions"]')

    expect(page.locator("main")).to_contain_text("księgowość")
    expect(page.locator("main")).to_contain_text("See contacts")
    traveller.look()


@pytest.mark.product("OP-5", "TEN-9", "OP-3")
def test_a_role_that_is_taken_away_closes_its_company_at_the_next_click(
    running: Installation, traveller: Traveller, office: AccountAdmin
):
    account, known = office.account, office.companies()
    arrive(traveller, ELLEN, f"{running.crm}/a/{account}/c/{known[BAKERY]}")
    crm, portal, wave = traveller.page, traveller.context.new_page(), traveller.context.new_page()
    portal.goto(f"{running.portal}/a/{account}/c/{known[BAKERY]}")
    wave.goto(f"{running.crm}/a/{account}/c/{known[WAVE]}")
    expect(wave.locator(".context-company")).to_have_text(WAVE)
    bookkeeping = office.role("księgowość")["id"]

    office.let_hold(ELLEN.email, [{"role_id": bookkeeping, "company": known[WAVE]}])

    for tab in (crm, portal):
        expect_refused_soon(tab)
    traveller.look()
    # The rest goes on where it was; the way out leads to what is left.
    wave.reload()
    expect(wave.locator(".context-company")).to_have_text(WAVE)
    crm.locator(".error-page a.btn").click()
    crm.locator(".context-companies summary").click()
    expect(crm.locator(".context-companies a", has_text=WAVE)).to_be_visible()
    expect(crm.locator(".context-companies a", has_text=BAKERY)).to_have_count(0)
    both = [{"role_id": bookkeeping, "company": known[name]} for name in (BAKERY, WAVE)]
    office.let_hold(ELLEN.email, both)


@pytest.mark.product("OP-5", "TEN-9", "OP-3")
def test_a_permission_that_is_taken_away_is_gone_at_the_next_click(
    running: Installation, travellers: Travellers, developer: AccountAdmin
):
    traveller = travellers(language="pl")
    arrive(traveller, HANNA, f"{running.crm}/a/{developer.account}/permissions")
    main = traveller.page.locator("main")
    expect(main).to_contain_text("Edycja kontaktów")
    sales = developer.role("sprzedaż")
    left = [each for each in sales["permissions"] if each["permission"] != "contacts:write"]

    developer.ask(
        "PATCH", f"/roles/{sales['id']}", json={"permissions": left}, version=sales["version"]
    )

    traveller.page.reload()
    expect(main).to_contain_text("Podgląd kontaktów")
    expect(main).not_to_contain_text("Edycja kontaktów")


@pytest.mark.product("OP-5", "TEN-9")
def test_who_is_blocked_in_an_account_goes_on_in_the_other(
    running: Installation, travellers: Travellers, office: AccountAdmin, developer: AccountAdmin
):
    traveller = travellers(language="pl")
    arrive(traveller, HANNA, f"{running.crm}/a/{developer.account}")
    crm, portal, other = (traveller.page, *(traveller.context.new_page() for _ in range(2)))
    portal.goto(f"{running.portal}/a/{developer.account}")
    other.goto(f"{running.crm}/a/{office.account}")
    expect(other.locator(".context-name")).to_have_text(OFFICE)

    developer.do(HANNA.email, "block")

    for tab in (crm, portal):
        expect_refused_soon(tab)
    traveller.look()
    other.reload()
    expect(other.locator(".context-name")).to_have_text(OFFICE)
    # Nobody was signed out, and the list says where work goes on.
    crm.locator(".error-page a.btn").click()
    expect(crm.locator(f'.context-list a[href="/a/{office.account}"]')).to_be_visible()
    expect(crm.locator(f'.context-list a[href="/a/{developer.account}"]')).to_have_count(0)
    traveller.look()
    portal.goto(running.portal)
    expect(portal.locator(".person-menu")).to_be_visible()

    developer.do(HANNA.email, "unblock")
    # What the block ended does not come back by itself: she proves herself once more.
    crm.goto(f"{running.crm}/a/{developer.account}")
    traveller.sign_in(HANNA.email, HANNA.password)
    expect(crm.locator(".context-name")).to_have_text(DEVELOPER)
    other.reload()
    expect(other.locator(".context-name")).to_have_text(OFFICE)


@pytest.mark.product("TEN-9", "ID-1")
def test_who_has_no_account_is_told_so_and_the_portal_works(
    running: Installation, travellers: Travellers
):
    traveller = travellers(language="pl")
    arrive(traveller, ZOFIA, running.portal)

    traveller.go(f"{running.portal}/contexts")
    traveller.look()
    traveller.go(running.crm)
    traveller.expect_at(f"{running.identity}/context")
    expect(traveller.page.locator("h1")).to_contain_text("CRM")
    traveller.look()
    traveller.press('[name="answer"][value="refused"]')

    expect(traveller.page.locator(".error-page")).to_be_visible()
    traveller.look()
    traveller.press(".error-page a.btn")
    traveller.expect_signed_in_at(f"{running.portal}/contexts")


@pytest.mark.product("TEN-1", "TEN-3")
@pytest.mark.parametrize("scripts", [True, False])
def test_who_has_no_account_makes_one_and_works_in_it(
    running: Installation, travellers: Travellers, scripts: bool
):
    traveller = travellers(language="pl", scripts=scripts)
    traveller.register(f"nadia.nowa.{scripts}@klucznik.example".lower(), "trzy spokojne kominy")
    traveller.look()
    traveller.press('main a[href$="/accounts/new"]')
    traveller.look()
    traveller.fill(nip="123", name="Nowa Łąka")
    expect(traveller.page.locator('[name="nip"][aria-invalid="true"]')).to_be_visible()
    traveller.look()

    traveller.fill(nip="")

    # Without scripts a page leads on, since a form may not end at another origin.
    expect(traveller.page.locator(".context-name")).to_have_text("Nowa Łąka")
    expect(traveller.page.locator(".toasts")).to_contain_text("Nowa Łąka")
    traveller.look()
    traveller.press('main a[href$="/applications"]')
    expect(traveller.page.locator(".context-name")).to_have_text("Nowa Łąka")
    traveller.look()


@pytest.mark.product("ID-11", "OP-5")
def test_a_blocked_person_is_out_of_every_tab_and_told_by_mail(
    running: Installation, traveller: Traveller
):
    arrive(traveller, ELLEN, f"{running.portal}/a/{running.account_of(STUDIO)}")
    portal, crm = traveller.page, traveller.context.new_page()
    crm.goto(f"{running.crm}/a/{running.account_of(OFFICE)}")
    expect(crm.locator(".context-name")).to_have_text(OFFICE)

    running.klucznik("person", "block", ELLEN.email, "--reason", "a test")

    told = time.monotonic()
    for tab in (portal, crm):
        while not tab.url.startswith(f"{running.identity}/sign-in"):
            assert time.monotonic() - told < PATIENCE, tab.url
            tab.reload()
    traveller.fill(email=ELLEN.email)
    traveller.fill(password=ELLEN.password)
    # The page tells nobody who has an ID, and which are blocked.
    expect(traveller.page.locator('[name="password"][aria-invalid="true"]')).to_be_visible()
    traveller.look()
    mail = running.mailbox.wait_for(ELLEN.email, where=lambda one: "ID is blocked" in one.text)
    assert "Ask the operator" in mail.text
    running.klucznik("person", "unblock", ELLEN.email, "--reason", "the test is over", "--silently")
