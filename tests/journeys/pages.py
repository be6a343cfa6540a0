"""Every page there is, as somebody who clicks through all of it meets them.

Each walk is a generator that stops on a page and gives it a name; whoever walks along looks. The
same walks go through with scripts and without.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import pyotp
from playwright.sync_api import Route, expect

from tests.journeys.traveller import Traveller

PASSWORD = "trzy spokojne kominy"
BETTER_PASSWORD = "cztery niebieskie wiosła"
# Longer than any card is wide.
LONG_EMAIL = (
    "konstantynopolitanczykowianeczka@"
    "bardzo-dlugi-dzial-obslugi-klienta.jeszcze-dluzsza-nazwa-firmy-deweloperskiej.klucznik.example"
)
LONG_COMPANY = (
    "Przedsiębiorstwo Wielobranżowe «Konstantynopolitańczykowianeczka» sp. z o.o. w Łodzi"
)
LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff" * 2

Walk = Callable[[Traveller], Iterator[str]]


def signing_in(person: Traveller) -> Iterator[str]:
    """Address, password, code; each with its mistakes."""
    running = person.running
    demo = {one["email"]: one for one in running.answer("demo")["people"]}
    hanna, marek = demo["hanna.wilk@klucznik.example"], demo["marek.sowa@klucznik.example"]
    person.go(f"{running.portal}/login")
    yield "address"
    person.fill(email="hanna")
    yield "address that is none"
    person.fill(email=hanna["email"])
    yield "password"
    person.fill(password="nie to hasło")
    yield "password that is wrong"
    person.fill(password=hanna["password"])
    expect(person.field("code")).to_be_visible()
    yield "code by mail"
    person.fill(code="0000 0000")
    yield "code that is wrong"
    person.press(".bare-links button")
    yield "code sent again"

    person.go(f"{running.crm}/login")
    person.fill(email=marek["email"])
    person.fill(password=marek["password"])
    yield "code of the app"
    person.press(".bare-links a")
    yield "recovery code"
    person.fill(code="nie ten kod")
    yield "recovery code that is wrong"

    person.go(f"{running.portal}/login")
    person.fill(email=f"nobody.{person.kind}@klucznik.example")
    for _ in range(6):
        person.fill(password="nie to hasło")
    yield "too many passwords"
    person.go(f"{running.identity}/authorize?flow=01900000-0000-7000-8000-000000000000")
    yield "sign-in that is over"


def registering(person: Traveller) -> Iterator[str]:
    """With the longest address that mail programs take."""
    running, mailbox = person.running, person.running.mailbox
    email = f"{person.kind}.{LONG_EMAIL}"
    person.go(f"{running.portal}/login")
    person.press('main a[href^="/register"]')
    yield "registration"
    person.fill(email="@")
    yield "registration with no address"
    person.fill(email=email)
    yield "code to register"
    person.fill(code="1234 5678")
    yield "code to register that is wrong"
    link = mailbox.link(email, "/register/confirm")
    person.go(link)
    yield "link to register"
    person.press("main form:not(.preferences) button")
    yield "first password"
    person.fill(new_password="haslo")
    yield "first password that is too short"
    person.fill(new_password="klucznik klucznik")
    yield "first password that is easy to guess"
    person.fill(new_password=PASSWORD)
    yield "after registering"
    person.go(link)
    yield "link that was used"
    person.go(running.portal)
    yield "portal of somebody with a long address"
    person.press(".person-menu summary")
    yield "menu of somebody with a long address"
    person.go(f"{running.identity}/account/security")
    yield "security with a long address"
    person.go(f"{running.portal}/logout")
    yield "sign-out asked with a long address"
    person.press("main form:not(.preferences) button")
    expect(person.page.locator("[data-page='signed-out']")).to_be_visible()
    person.go(f"{running.crm}/login")
    person.fill(email=email)
    yield "password with a long address"
    person.fill(password=PASSWORD)
    yield "code by mail with a long address"


def resetting(person: Traveller) -> Iterator[str]:
    """A password that was forgotten."""
    running = person.running
    email = f"renata.reset.{person.kind}@klucznik.example"
    running.klucznik("person", "create", "--email", email)
    person.go(f"{running.portal}/login")
    person.fill(email=email)
    person.press("a.label-link")
    yield "reset"
    person.fill(email=email)
    yield "code to reset"
    person.fill(code="1234 5678")
    yield "code to reset that is wrong"
    link = running.mailbox.link(email, "/reset/confirm")
    person.go(link)
    yield "link to reset"
    person.press("main form:not(.preferences) button")
    yield "new password"
    person.fill(new_password=f"{email} 12345")
    yield "new password that is personal"
    person.fill(new_password=BETTER_PASSWORD)
    yield "after resetting"
    person.go(link)
    yield "link to reset that was used"


def at_home(person: Traveller) -> Iterator[str]:
    """What is behind the sign-in: the account's pages, the portal, the CRM, an application's question."""
    running = person.running
    email = f"anna.account.{person.kind}@klucznik.example"
    person.go(f"{running.portal}/login")
    person.press('main a[href^="/register"]')
    person.fill(email=email)
    person.fill(code=running.mailbox.newest_code(email))
    person.fill(new_password=PASSWORD)
    person.expect_signed_in_at(running.portal)
    yield "portal, the first time"
    yield from _accounts(person, email)
    person.go(f"{running.portal}/applications")
    yield "applications"
    person.press("main form button")
    person.expect_signed_in_at(running.crm)
    yield "CRM"
    person.go(running.portal)
    yield "portal, the second time"
    yield from _account(person)
    yield from _question(person)
    person.go(f"{running.portal}/logout")
    yield "sign-out asked"
    person.go(f"{running.identity}/end-session")
    yield "sign-out asked by identity"
    person.press("#stay")
    yield "still signed in"
    person.go(f"{running.portal}/nothing-here")
    yield "portal: no such page"
    person.go(f"{running.crm}/callback?error=access_denied&state=unknown")
    yield "CRM: a sign-in that did not come about"
    person.go(f"{running.portal}/logout")
    person.press("main form:not(.preferences) button")
    expect(person.page.locator("[data-page='signed-out']")).to_be_visible()
    yield "signed out"
    person.go(f"{running.identity}/end-session")
    yield "signed out of identity"


def _accounts(person: Traveller, email: str) -> Iterator[str]:
    """Working in no account of a company, in one, in several; with names as long as they may be."""
    running = person.running
    person.go(f"{running.portal}/contexts")
    yield "company accounts, none"
    person.press(".empty-state a.btn")
    yield "new company account"
    person.fill(name=" ")
    yield "new company account without a name"
    person.go(running.crm)
    person.expect_at(f"{running.identity}/context")
    yield "no account for the CRM"
    person.press('[name="answer"]')
    yield "CRM: no account chosen"
    first = running.open_account(LONG_COMPANY, admin=email)
    person.go(running.crm)
    person.expect_signed_in_at(f"{running.crm}/a/{first}")
    yield "CRM in the only account"
    person.press(".context-switch")
    yield "company accounts of the CRM, one"
    person.go(f"{running.portal}/a/{first}")
    yield "portal in an account"

    running.open_account("Ćma", admin=email)
    running.open_account("Bez kontaktów", admin=email, has_crm=False)
    second = running.open_account("W" * 100, admin=email)
    for name in (LONG_COMPANY, "Żuk", "M" * 100):
        running.klucznik("account", "companies", "create", second, "--name", name)
    person.go(f"{running.crm}/contexts")
    yield "company accounts, many"
    person.press(f'.context-list li:has(a[href="/a/{second}"]) summary')
    yield "company accounts with companies"
    person.press(f'a[href^="/a/{second}/c/"]')
    person.expect_signed_in_at(running.crm)
    yield "CRM for a company"
    person.go(f"{person.page.url}/permissions")
    yield "permissions, all"
    person.go(f"{running.crm}/a/000000000000")
    yield "account that is not there"
    person.context.clear_cookies(name="klucznik_crm_session")
    person.go(f"{running.crm}/login")
    person.expect_at(f"{running.identity}/context")
    yield "account to be chosen"
    person.press(".choice")
    person.expect_signed_in_at(running.crm)


def _account(person: Traveller) -> Iterator[str]:
    account = f"{person.running.identity}/account"
    person.go(account)
    yield "profile"
    person.fill(given_name="@", family_name="<>", phone="x")
    yield "profile with mistakes"
    person.fill(given_name=LONG_NAME, family_name=LONG_NAME, phone="+48 600 700 800")
    yield "profile saved"
    person.go(account)
    person.press(".person-menu summary")
    yield "menu with a long name"
    person.go(f"{account}/security")
    yield "security"
    person.go(f"{account}/password")
    yield "password change"
    person.fill(password="nie to hasło", new_password=BETTER_PASSWORD)
    yield "password change with the wrong password"
    person.fill(password=PASSWORD, new_password="haslo")
    yield "password change with a short password"
    person.fill(password=PASSWORD, new_password=BETTER_PASSWORD)
    yield "password changed"
    person.go(f"{account}/authenticator")
    yield "authenticator app"
    person.fill(code="000000")
    yield "authenticator app with a wrong code"
    secret = person.page.locator("code.secret").inner_text().replace(" ", "")
    person.fill(code=pyotp.TOTP(secret).now())
    yield "recovery codes"
    person.press("main a.btn-primary")
    yield "security with an app"
    person.press('[popovertarget="remove-authenticator"]')
    yield "removal of the app asked"
    person.go(f"{account}/password")
    yield "password change with an app"
    person.go(f"{account}/recovery-codes")
    yield "recovery codes made anew"
    person.go(f"{account}/passkeys")
    yield "passkeys, none"
    person.go(f"{account}/passkeys/add")
    yield "passkey to be added"
    person.go(f"{account}/sessions")
    yield "sessions"


def _question(person: Traveller) -> Iterator[str]:
    running = person.running
    back = "https://application.example/callback"
    client = running.answer(
        "client", "create", "--name", "Kalendarz odbiorów", "--owner", "Pracownia Miara sp. z o.o.",
        "--redirect-uri", back, "--auth-method", "none",
    )  # fmt: skip
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 64).digest()).decode().rstrip("=")
    asked = {
        "client_id": client["client_id"],
        "redirect_uri": back,
        "response_type": "code",
        "scope": "openid email profile phone offline_access",
        "state": "s",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    authorize = f"{running.identity}/authorize?"
    person.go(authorize + urlencode(asked))
    yield "consent"
    person.go(authorize + urlencode({**asked, "client_id": "nobody"}))
    yield "application that is not known"
    person.go(authorize + urlencode({**asked, "redirect_uri": "https://other.example/"}))
    yield "address that is not the application's"
    person.go(f"{running.identity}/nothing-here")
    yield "no such page"
    person.go(authorize + urlencode(asked))
    person.page.route("**/forward*.js*", lambda route: route.fulfill(body=""))
    person.page.route(f"{back}*", _stay)
    person.press("#refuse")
    yield "on the way to an application"
    person.page.unroute("**/forward*.js*")


def _stay(route: Route) -> None:
    """The application is not there: the browser stays where it is."""
    route.fulfill(status=204)


def reading_mails(person: Traveller) -> Iterator[str]:
    """The page of the demo's mails, and one of them."""
    mails = person.running.mails
    person.go(f"{person.running.identity}/register")
    email = f"milena.mail.{person.kind}@klucznik.example"
    person.fill(email=email)
    person.running.mailbox.newest_code(email)
    person.go(f"{mails}/?to=nobody.has.this@klucznik.example")
    yield "mails, none"
    person.go(f"{mails}/?to={email}")
    yield "mails"
    person.press(".caught-line")
    yield "mail"


def first_access(person: Traveller) -> Iterator[str]:
    """A temporary password and a welcome link, both in time and too late."""
    running, mailbox = person.running, person.running.mailbox
    email = f"teodor.tymczasowy.{person.kind}@klucznik.example"
    running.klucznik("person", "create", "--email", email, "--access", "temporary-password")
    person.go(f"{running.portal}/login")
    person.fill(email=email)
    person.fill(password=mailbox.temporary_password(email))
    yield "own password after a temporary one"
    person.fill(new_password="haslo")
    yield "own password that is too short"
    running.end_first_access(email)
    person.go(person.page.url)
    yield "temporary password that is over"
    person.press('form[action*="/new-password/send"] button')
    yield "temporary password sent again"

    email = f"wanda.witana.{person.kind}@klucznik.example"
    running.klucznik("person", "create", "--email", email, "--access", "welcome-link")
    link = mailbox.link(email, "/welcome")
    person.go(link)
    yield "welcome"
    person.fill(new_password=f"{email} 12345")
    yield "welcome with a password that is personal"
    running.end_first_access(email)
    person.go(link)
    yield "welcome link that is over"
    person.press('form[action="/welcome/send"] button')
    yield "welcome link sent again"
    person.context.clear_cookies()
    person.go(f"{running.identity}/welcome")
    yield "welcome without a link"


WALKS: dict[str, Walk] = {
    "signing in": signing_in,
    "registering": registering,
    "resetting": resetting,
    "first access": first_access,
    "at home": at_home,
    "reading mails": reading_mails,
}
