"""Portal and CRM with the identity program, as real processes: the main job, without a browser."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from idp.demo.people import PEOPLE
from tests.installation import Installation, installation
from tests.visitor import Page, Visitor

MAREK = next(person for person in PEOPLE if person.totp_secret)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation of our own: what these tests do to databases and keys is nobody else's."""
    with installation(tmp_path_factory.mktemp("applications")) as made:
        yield made


@pytest.fixture(scope="module")
def marek(running: Installation) -> Visitor:
    """Somebody who signed in once: a code of the authenticator app is good for one sign-in."""
    visitor = Visitor()
    page = visitor.open(f"{running.portal}/")
    page = visitor.sign_in(
        page,
        email=MAREK.email,
        password=MAREK.password,
        totp_secret=MAREK.totp_secret,
        remember=True,
    )
    assert page.url == f"{running.portal}/"
    return visitor


@pytest.fixture
def signed_in(marek: Visitor, running: Installation) -> Visitor:
    """The same visitor, signed in to the portal: anew, where a test before this one signed out."""
    page = marek.open(f"{running.portal}/")
    if page.url.startswith(running.identity):
        page = marek.sign_in(page, email=MAREK.email, password=MAREK.password)
    assert page.url == f"{running.portal}/"
    return marek


def words(page: Page) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def press(visitor: Visitor, page: Page, action: str) -> Page:
    """Press the button of the form that posts there."""
    form = next(form for form in page.forms if form.action == action)
    return visitor.submit(page, form)


def execute(running: Installation, program: str, statement: str) -> list[tuple[object, ...]]:
    """Look at, or change, what a program keeps."""
    with sqlite3.connect(running.home / f"{program}.sqlite3", timeout=10) as database:
        return database.execute(statement).fetchall()


def let_tokens_run_out(running: Installation, program: str) -> None:
    execute(running, program, "UPDATE access_tokens SET expires_at = '2026-01-01 00:00:00.000000'")
    execute(running, program, "UPDATE sessions SET vouched_until = '2026-01-01 00:00:00.000000'")


def token_requests(running: Installation) -> int:
    return running.logs().count('"route": "/token"')


def until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


@pytest.mark.product("POR-1", "OP-1")
@pytest.mark.security("11.1")
def test_the_crm_opens_from_the_portal_without_signing_in_again(running, signed_in):
    applications = signed_in.open(f"{running.portal}/applications")

    crm = press(signed_in, applications, "/applications/crm/open")
    home = signed_in.open(f"{running.portal}/")

    # The only account of this person that has the CRM.
    assert crm.url == f"{running.crm}/a/{running.account_of('Wilk Deweloper')}"
    assert "Marek Sowa" in words(crm)
    assert "Wilk Deweloper" in words(crm)
    assert "Ostatnio używane aplikacje" in words(home)
    assert "Brak ostatnio używanych aplikacji" not in words(home)


@pytest.mark.product("OP-2")
@pytest.mark.security("8.5")
def test_keys_rotate_and_nobody_is_signed_out(running, signed_in):
    running.klucznik("keys", "rotate")
    let_tokens_run_out(running, "portal")

    page = signed_in.open(f"{running.portal}/")

    assert page.url == f"{running.portal}/"
    assert page.status == 200


@pytest.mark.security("15.2", "20.5")
def test_fifty_requests_at_once_renew_the_tokens_once(running, signed_in):
    let_tokens_run_out(running, "portal")
    before = token_requests(running)

    def open_page(_: int) -> int:
        tab = Visitor()
        tab.http.cookies.update(signed_in.http.cookies)
        # The home asks the API too, with a token of its own.
        return tab.open(f"{running.portal}/applications").status

    with ThreadPoolExecutor(50) as pool:
        statuses = set(pool.map(open_page, range(50)))

    assert statuses == {200}
    assert until(lambda: token_requests(running) == before + 1)


@pytest.mark.product("OP-1")
@pytest.mark.security("5.5", "9.2", "9.3", "11.2")
def test_signing_out_of_one_application_signs_out_of_both(running, signed_in):
    crm = signed_in.open(f"{running.crm}/")
    assert crm.url.startswith(f"{running.crm}/a/")

    done = press(signed_in, crm, "/logout")

    def both_are_out() -> bool:
        left = [
            execute(running, program, "SELECT count(*) FROM sessions WHERE ended_at IS NULL")
            for program in ("portal", "crm")
        ]
        return left == [[(0,)], [(0,)]]

    assert done.url == f"{running.crm}/signed-out"
    assert until(both_are_out)
    for program in (running.portal, running.crm):
        assert signed_in.open(f"{program}/").url.startswith(f"{running.identity}/sign-in")
