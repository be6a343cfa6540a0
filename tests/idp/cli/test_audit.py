"""`klucznik audit verify` proves that the trail is whole, or says where it was changed."""

import os

import pytest
from sqlalchemy import Engine, create_engine, make_url, pool

from tests.conftest import ON_POSTGRESQL


@pytest.fixture
def trail(ask):
    """A few things that happened: an application was registered, and keys were made."""
    ask("client", "create", "--name", "Sample", "--redirect-uri", "https://app.example/callback")
    ask("keys", "rotate")


@pytest.mark.security("17.1")
def test_an_untouched_trail_is_whole(run, ask, trail):
    report = ask("audit", "verify")

    assert report["ok"]
    assert report["entries"] + report["unsealed"] >= 2
    assert report["findings"] == []
    assert "The audit trail is whole." in run("audit", "verify").stdout


@pytest.mark.security("17.1")
def test_a_row_changed_by_sql_is_found(run, ask, trail):
    tamper("UPDATE ledger_entries SET subject = 'somebody else' WHERE event = 'client:registered'")

    report = ask("audit", "verify", status=1)

    assert not report["ok"]
    assert len(report["findings"]) == 1
    assert "The audit trail was changed." in run("audit", "verify", status=1).stdout


def test_a_head_that_was_typed_wrong_proves_nothing(run, trail):
    run("audit", "verify", "--since", "not a head", status=1)


def tamper(statement: str) -> None:
    """Do what only who owns the database can: write past the triggers that guard the ledger."""
    engine = owner()
    with engine.begin() as connection:
        if ON_POSTGRESQL:
            connection.exec_driver_sql("SET session_replication_role = replica")
        else:
            triggers = connection.exec_driver_sql(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).scalars()
            for name in list(triggers):
                connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        assert connection.exec_driver_sql(statement).rowcount == 1


def owner() -> Engine:
    url = make_url(os.environ["KLUCZNIK_IDENTITY_DATABASE_URL"])
    if ON_POSTGRESQL:
        superuser = make_url(os.environ["KLUCZNIK_TEST_POSTGRESQL_URL"])
        url = superuser.set(database=url.database)
    return create_engine(url, poolclass=pool.NullPool)
