"""A blocked ID is out of portal and CRM at once, between real processes; and they know that they hear all."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from idp.demo.people import PEOPLE
from tests.installation import Installation, installation
from tests.visitor import Visitor

MAREK = next(person for person in PEOPLE if person.totp_secret)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation of our own: a blocked person is of no use to others."""
    with installation(
        tmp_path_factory.mktemp("events"), settings={"KLUCZNIK_SECURITY_EVENT_BEAT_SECONDS": "2"}
    ) as made:
        yield made


def rows(running: Installation, program: str, statement: str) -> list[tuple]:
    with sqlite3.connect(running.home / f"{program}.sqlite3", timeout=10) as database:
        return database.execute(statement).fetchall()


def until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def hears_all(running: Installation, program: str) -> bool:
    return bool(rows(running, program, "SELECT 1 FROM event_feeds WHERE whole_at IS NOT NULL"))


@pytest.mark.product("ID-11", "OP-5")
def test_a_blocked_id_is_out_of_every_application(running):
    assert until(lambda: hears_all(running, "portal") and hears_all(running, "crm"))
    visitor = Visitor()
    page = visitor.open(f"{running.portal}/")
    page = visitor.sign_in(
        page, email=MAREK.email, password=MAREK.password, totp_secret=MAREK.totp_secret
    )
    assert page.url == f"{running.portal}/"

    running.answer("person", "block", MAREK.email, "--reason", "a test")

    ended = "SELECT 1 FROM sessions WHERE ended_at IS NULL"
    assert until(lambda: rows(running, "portal", ended) == [])
    assert visitor.open(f"{running.portal}/").url.startswith(running.identity)
    told = running.answer("client", "deliveries", "portal")
    [event] = [one for one in told["events"] if one["kind"] == "account-disabled"]
    took = datetime.fromisoformat(event["accepted_at"]) - datetime.fromisoformat(
        event["created_at"]
    )
    assert took < timedelta(seconds=5)
    assert told["feed"]["failing_since"] is None
