"""Somebody whose phone and recovery codes are gone gets in again, with the operator's help."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.installation import Installation, installation
from tests.journeys.test_login_security import OLD, add_an_authenticator_app
from tests.journeys.traveller import Traveller

Travellers = Callable[..., Traveller]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation on which nobody has to wait: what waits is tried out with the clock in hand."""
    home = tmp_path_factory.mktemp("lost-factors")
    with installation(home, settings={"KLUCZNIK_LOST_FACTORS_WAITING_HOURS": "0"}) as made:
        yield made


def with_an_app(traveller: Traveller, email: str) -> None:
    """Registered, with an authenticator app, and signed out."""
    traveller.register(email, OLD)
    add_an_authenticator_app(traveller)
    traveller.go(traveller.running.portal)
    traveller.sign_out()


def to_the_code_page(traveller: Traveller, email: str) -> None:
    traveller.go(f"{traveller.running.portal}/login")
    traveller.fill(email=email)
    traveller.fill(password=OLD)
    expect(traveller.field("code")).to_be_visible()


def without_factors(traveller: Traveller, email: str) -> None:
    """«I have none of these», and the mailbox proved."""
    traveller.press('main a[href^="/lost-factors"]')
    traveller.look()
    traveller.press('main form[action^="/lost-factors/code/send"] button')
    traveller.look()
    traveller.fill(code=traveller.running.mailbox.newest_code(email))
    traveller.look()


def ask_for_help(traveller: Traveller, email: str) -> str:
    """The request, and its id as the operator reads it."""
    to_the_code_page(traveller, email)
    without_factors(traveller, email)
    traveller.page.locator('textarea[name="note"]').fill("Telefon utonął.")
    traveller.fill(contact="+48 600 700 800, po 16")
    expect(traveller.page.locator(".alert-box")).to_be_visible()
    traveller.look()
    found = traveller.running.answer("person", "lost-factors", "list")
    return str(next(one["id"] for one in found if one["email"] == email))


def approve(running: Installation, request: str) -> None:
    words = ("--proof", "Dowód osobisty, okazany w biurze", "--by", "Jan Nowak")
    running.answer("person", "lost-factors", "approve", request, *words)


@pytest.mark.product("ID-6")
@pytest.mark.security("3.6")
@pytest.mark.parametrize("scripts", [True, False])
def test_who_lost_every_factor_gets_in_again_with_the_operators_help(
    running: Installation, travellers: Travellers, scripts: bool
):
    email = f"lena.zguba.{scripts}@klucznik.example".lower()
    at_home, elsewhere = travellers(language="pl"), travellers(language="pl", scripts=scripts)
    with_an_app(at_home, email)
    request = ask_for_help(elsewhere, email)
    approve(running, request)

    to_the_code_page(elsewhere, email)
    elsewhere.look()
    without_factors(elsewhere, email)
    elsewhere.press('main form[action^="/lost-factors/finish"] button')
    elsewhere.look()
    elsewhere.press('main a[href^="/account/authenticator"]')

    elsewhere.expect_at(f"{running.identity}/account/authenticator")
    assert running.answer("person", "show", email)["factors"]["authenticator_app"] is False
    assert running.answer("person", "lost-factors", "show", request)["state"] == "used"
    assert running.mailbox.wait_for(email, where=lambda mail: "Usunęliśmy" in mail.subject)


@pytest.mark.product("ID-6")
@pytest.mark.security("3.6", "3.2")
def test_the_owner_stops_a_strangers_request_by_the_link_in_the_mail(
    running: Installation, travellers: Travellers
):
    email = "olga.wlasciwa@klucznik.example"
    owner, stranger = travellers(), travellers()
    with_an_app(owner, email)
    request = ask_for_help(stranger, email)
    approve(running, request)

    owner.go(running.mailbox.link(email, "/lost-factors/stop"))
    owner.look()
    owner.press('main form[action^="/lost-factors/stop"] button')
    owner.look()

    assert running.answer("person", "lost-factors", "show", request)["state"] == "stopped"
    to_the_code_page(stranger, email)
    stranger.look()
    stranger.press('main a[href^="/lost-factors"]')
    stranger.look()
    assert running.answer("person", "show", email)["factors"]["authenticator_app"] is True


@pytest.mark.product("ID-6")
def test_a_refusal_is_read_at_the_code_page(running: Installation, travellers: Travellers):
    email = "rita.odmowa@klucznik.example"
    traveller = travellers(language="pl")
    with_an_app(traveller, email)
    request = ask_for_help(traveller, email)

    words = ("--reason", "Nikt nie odebrał telefonu.", "--by", "Jan Nowak")
    running.answer("person", "lost-factors", "refuse", request, *words)
    to_the_code_page(traveller, email)
    traveller.look()

    expect(traveller.page.locator(".alert-box")).to_contain_text("Nikt nie odebrał telefonu.")
