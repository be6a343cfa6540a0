"""OP-5 and ID-11 measured: how long what was taken away is still answered, in portal and CRM at once."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from statistics import quantiles

import pytest
import requests
from sqlalchemy import create_engine, text

from idp.demo.people import PEOPLE
from tests.account_admin import AccountAdmin
from tests.installation import Installation
from tests.soak.nodes import Nodes
from tests.visitor import Page, Visitor

OFFICE, BAKERY = "Biuro Rachunkowe Wilk", "Piekarnia Kłos"
HANNA, _, ELLEN, _ = PEOPLE
WITHIN = 1.0
# Requests of an open page; so dense that one of them is soon the first that is refused.
_PAUSE = 0.02
_PATIENCE = 30

Deed = Callable[[], float]


@pytest.fixture(scope="module")
def running(nodes: Nodes) -> Installation:
    """Everything, while both applications hear all that happens: else they would ask at each request."""
    deadline = time.monotonic() + _PATIENCE
    while not all(_hears_all(nodes.running, program) for program in ("portal", "crm")):
        assert time.monotonic() < deadline, "no heartbeat"
        time.sleep(0.1)
    return nodes.running


@pytest.fixture(scope="module")
def office(running: Installation) -> AccountAdmin:
    """The office, by its admin's program."""
    return AccountAdmin.of(running, running.account_of(OFFICE), HANNA)


@pytest.fixture(scope="module")
def ellen(running: Installation) -> Visitor:
    """Keeps the books of two of its companies, on a device that is remembered."""
    visitor = Visitor()
    _sign_in(running, visitor)
    return visitor


@pytest.fixture
def open_pages(running: Installation, office: AccountAdmin) -> tuple[str, str]:
    """The addresses of the company in portal and CRM."""
    path = f"/a/{office.account}/c/{office.companies()[BAKERY]}"
    return f"{running.portal}{path}", f"{running.crm}{path}"


@pytest.mark.product("OP-5")
def test_a_role_that_is_taken_away(office, ellen, open_pages, rounds, figure):
    held = office.user(ELLEN.email)["assignments"]
    both = [{"role_id": each["role_id"], "company": each["company"]} for each in held]
    bakery = open_pages[0].rpartition("/")[2]
    left = [each for each in both if each["company"] != bakery]
    assert len(left) == 1

    times = []
    for _ in range(rounds):
        _open_all(ellen, open_pages)
        times += _refused_after(
            ellen, open_pages, _answered(partial(office.let_hold, ELLEN.email, left))
        )
        office.let_hold(ELLEN.email, both)

    _judge("role taken away", times, figure)


@pytest.mark.product("OP-5")
def test_a_membership_that_is_blocked(running, office, ellen, open_pages, rounds, figure):
    times = []
    for _ in range(rounds):
        _open_all(ellen, open_pages)
        times += _refused_after(
            ellen, open_pages, _answered(partial(office.do, ELLEN.email, "block"))
        )
        office.do(ELLEN.email, "unblock")
        # Sign-ins from before the block do not count in that account any more.
        page = ellen.open(open_pages[0])
        ellen.sign_in(page, email=ELLEN.email, password=ELLEN.password, mailbox=running.mailbox)

    _judge("membership blocked", times, figure)


@pytest.mark.product("OP-5", "ID-11")
def test_a_person_who_is_blocked(running, ellen, open_pages, rounds, figure):
    def block() -> float:
        running.klucznik("person", "block", ELLEN.email, "--reason", "a test", "--silently")
        return _blocked_at(running)

    times = []
    for _ in range(rounds):
        _open_all(ellen, open_pages)
        times += _refused_after(ellen, open_pages, block)
        running.klucznik("person", "unblock", ELLEN.email, "--reason", "a test", "--silently")
        _sign_in(running, ellen)

    _judge("person blocked", times, figure)


def _answered(deed: Callable[[], object]) -> Deed:
    """A deed that is done when the API has answered."""

    def do() -> float:
        deed()
        return time.time()

    return do


def _refused_after(visitor: Visitor, addresses: tuple[str, ...], deed: Deed) -> list[float]:
    """How many seconds after the deed each open page got its first refusal in hand."""
    with ThreadPoolExecutor(len(addresses)) as pool:
        waiting = [pool.submit(_first_refusal, visitor, address) for address in addresses]
        done = deed()
        return [max(0.0, each.result() - done) for each in waiting]


def _first_refusal(visitor: Visitor, address: str) -> float:
    """Ask for the page again and again, as the browser with these cookies, until it is refused."""
    deadline = time.time() + _PATIENCE
    with requests.Session() as http:
        http.trust_env = False
        http.cookies.update(visitor.http.cookies)
        while http.get(address, allow_redirects=False, timeout=_PATIENCE).status_code == 200:
            assert time.time() < deadline, f"{address} is still answered"
            time.sleep(_PAUSE)
        return time.time()


def _open_all(visitor: Visitor, addresses: tuple[str, ...]) -> None:
    """Be where the work is, with everything that was told before behind us."""
    for address in addresses:
        visitor.wait_until(address, partial(_is, address))
    time.sleep(0.2)
    for address in addresses:
        visitor.wait_until(address, partial(_is, address))


def _is(address: str, page: Page) -> bool:
    return (page.url, page.status) == (address, 200)


def _sign_in(running: Installation, visitor: Visitor) -> None:
    page = visitor.open(f"{running.portal}/")
    page = visitor.sign_in(
        page, email=ELLEN.email, password=ELLEN.password, mailbox=running.mailbox, remember=True
    )
    assert page.url == f"{running.portal}/", page.url


def _judge(what: str, times: list[float], figure: Callable[[str], None]) -> None:
    percentiles = quantiles(times, n=100, method="inclusive")
    p50, p99 = percentiles[49], percentiles[98]
    figure(f"{what}: p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, {len(times)} open pages")
    assert p99 <= WITHIN


def _blocked_at(running: Installation) -> float:
    """When the block began to be carried out: a moment before it was committed."""
    asked = "SELECT max(at) FROM facts WHERE kind = 'person.blocked'"
    found = _ask(running, "identity", asked)
    return datetime.fromisoformat(str(found)).replace(tzinfo=UTC).timestamp()


def _hears_all(running: Installation, program: str) -> bool:
    return bool(_ask(running, program, "SELECT 1 FROM event_feeds WHERE whole_at IS NOT NULL"))


def _ask(running: Installation, program: str, statement: str) -> object:
    """One value of a program's database."""
    url = running.environment.get(
        f"KLUCZNIK_{program.upper()}_DATABASE_URL", f"sqlite:///{running.home / program}.sqlite3"
    )
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(text(statement)).scalar()
    finally:
        engine.dispose()
