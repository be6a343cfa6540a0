"""The audit trail proves that it is whole, or says where it is not."""

import os
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, make_url, pool, text

from idp.events import IdpEvent
from tenants.audit import account_chain, ledger
from tenants.database import db
from tenants.lifecycle import service as lifecycle
from tests.conftest import ON_POSTGRESQL


@pytest.fixture
def trail(run, identity_app, now):
    """Three sealed rows in the database that the commands look at."""
    for number in range(3):
        with db.transaction() as session:
            ledger.append(
                session,
                chain="person:1",
                event=IdpEvent.PASSWORD_CHANGED,
                actor="1",
                subject="1",
                result="success",
                at=now + timedelta(seconds=number),
            )
    ledger.seal(db, now=now + timedelta(seconds=5))


@pytest.fixture
def run(run, identity_app, monkeypatch):
    """The commands, on the database of `identity_app`."""
    settings = identity_app.extensions["klucznik.settings"]
    monkeypatch.setenv("KLUCZNIK_IDENTITY_DATABASE_URL", settings.database_address)
    monkeypatch.setenv("KLUCZNIK_LEDGER_KEY", settings.ledger_key.get_secret_value())
    return run


@pytest.mark.security("17.1")
def test_a_whole_trail_is_said_to_be_whole(trail, ask):
    report = ask("audit", "verify")

    assert report["ok"]
    assert report["entries"] == 3
    assert report["findings"] == []


@pytest.mark.product("TEN-13")
@pytest.mark.security("17.1")
def test_a_row_of_an_account_that_was_changed_by_sql_is_found(run, ask, now):
    made = lifecycle.create(name="Alfa", creator=None, actor="operator", now=now)
    ledger.seal(db, now=now)
    assert ask("audit", "verify")["ok"]
    chain = account_chain(made.id)

    change_behind_its_back("UPDATE ledger_entries SET actor = '7' WHERE chain LIKE 'account:%'")

    findings = ask("audit", "verify", status=1)["findings"]
    assert findings
    assert all(chain in finding for finding in findings)


@pytest.mark.security("17.1")
def test_a_row_that_was_changed_by_sql_is_found_and_where(trail, ask, run):
    change_behind_its_back("UPDATE ledger_entries SET actor = 'somebody else' WHERE sequence = 2")

    report = ask("audit", "verify", status=1)

    assert not report["ok"]
    assert len(report["findings"]) == 1
    assert "person:1" in report["findings"][0]
    assert "The audit trail was changed." in run("audit", "verify", status=1).stdout


def test_people_read_that_it_is_whole(trail, run):
    assert "The audit trail is whole." in run("audit", "verify").stdout


@pytest.mark.security("17.1")
def test_a_head_that_was_known_before_must_still_be_there(trail, ask, now):
    head = ask("audit", "verify")["head"]

    assert ask("audit", "verify", "--since", head)["ok"]


def change_behind_its_back(statement: str) -> None:
    """As somebody would who owns the database: what guards the tables is put aside first."""
    if not ON_POSTGRESQL:
        with db.engine.begin() as connection:
            triggers = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for name in connection.execute(triggers).scalars().all():
                connection.execute(text(f'DROP TRIGGER "{name}"'))
            connection.execute(text(statement))
        return
    owner = make_url(os.environ["KLUCZNIK_TEST_POSTGRESQL_URL"]).set(
        database=db.engine.url.database
    )
    with create_engine(owner, poolclass=pool.NullPool).begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text(statement))
