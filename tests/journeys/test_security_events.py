"""What is taken away is felt at once, between real processes; and they know that they hear all."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from idp.demo.people import PEOPLE
from tests.installation import Installation, installation
from tests.visitor import Visitor

OFFICE = "Biuro Rachunkowe Wilk"
# Soak measures the second of OP-5. Here a machine may be as slow as it likes: without word of the
# event, an access token would go on for minutes.
PATIENCE = 60.0
HANNA = PEOPLE[0]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation of our own: a blocked person is of no use to others."""
    with installation(
        tmp_path_factory.mktemp("events"), settings={"KLUCZNIK_SECURITY_EVENT_BEAT_SECONDS": "2"}
    ) as made:
        yield made


def rows(
    running: Installation, program: str, statement: str, *values: str
) -> list[tuple[Any, ...]]:
    with sqlite3.connect(running.home / f"{program}.sqlite3", timeout=60) as database:
        return database.execute(statement, values).fetchall()


def until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def hears_all(running: Installation, program: str) -> bool:
    return bool(rows(running, program, "SELECT 1 FROM event_feeds WHERE whole_at IS NOT NULL"))


@pytest.fixture
def hanna(running: Installation) -> Visitor:
    """Somebody signed in to both applications, while these know that they hear everything."""
    assert until(lambda: hears_all(running, "portal") and hears_all(running, "crm"))
    visitor = Visitor()
    page = visitor.open(f"{running.portal}/")
    page = visitor.sign_in(
        page, email=HANNA.email, password=HANNA.password, mailbox=running.mailbox
    )
    assert page.url == f"{running.portal}/"
    office = f"{running.crm}/a/{running.account_of(OFFICE)}"
    assert visitor.open(office).url == office
    return visitor


def seconds(running: Installation, client_id: str, kind: str) -> float:
    """How long it took from a change to the application's yes."""

    def taken() -> list[tuple[Any, ...]]:
        return rows(
            running,
            "identity",
            "SELECT created_at, accepted_at FROM security_events"
            " WHERE client_id = ? AND kind = ? AND accepted_at IS NOT NULL",
            *(client_id, kind),
        )

    assert until(lambda: bool(taken()))
    created, accepted = map(datetime.fromisoformat, taken()[-1])
    return (accepted - created).total_seconds()


@pytest.mark.product("OP-5", "TEN-17")
def test_a_suspended_account_is_felt_in_the_application_that_is_open(running, hanna):
    account = running.account_of(OFFICE)
    page = hanna.open(f"{running.crm}/a/{account}")
    assert (page.url, page.status) == (f"{running.crm}/a/{account}", 200)

    running.klucznik("account", "suspend", account, "--reason", "a test")

    assert seconds(running, "crm", "session-revoked") < PATIENCE
    page = hanna.open(f"{running.crm}/a/{account}")
    assert page.status == 403
    # The person is as signed in as before.
    assert hanna.open(f"{running.portal}/").url == f"{running.portal}/"
    running.klucznik("account", "resume", account)


@pytest.mark.product("ID-11", "OP-5")
def test_a_blocked_id_is_out_of_every_application(running, hanna):
    assert hanna.open(f"{running.portal}/").url == f"{running.portal}/"

    running.answer("person", "block", HANNA.email, "--reason", "a test")

    for program in ("portal", "crm"):
        assert seconds(running, program, "account-disabled") < PATIENCE
        assert rows(running, program, "SELECT 1 FROM sessions WHERE ended_at IS NULL") == []
    assert hanna.open(f"{running.portal}/").url.startswith(running.identity)
    failing = "SELECT 1 FROM security_feeds WHERE failing_since IS NOT NULL"
    assert rows(running, "identity", failing) == []
    running.klucznik("person", "unblock", HANNA.email, "--reason", "the test is over")
