import csv
import io
import json
import os
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, make_url, pool, text

from kernel import program
from kernel.pages import CursorUnusable, PageRequest
from tenants import trail
from tenants.accounts import service as accounts
from tenants.audit import account_chain, ledger
from tenants.companies import service as companies
from tenants.database import db
from tenants.lifecycle import service as lifecycle
from tenants.people import service as people
from tenants.trail import Wanted
from tests.conftest import ON_POSTGRESQL

pytestmark = pytest.mark.usefixtures("identity_app")


@pytest.fixture
def anna(now):
    with db.transaction() as session:
        return people.create(
            session, email="anna@example.com", given_name="Anna", family_name="Żak", now=now
        )


@pytest.fixture
def account(now, anna) -> str:
    actor = f"person:{anna.id}"
    return lifecycle.create(name="Alfa", creator=anna.id, actor=actor, now=now).id


def a_company(account, now, name="Beta", actor="person:7"):
    with db.transaction(tenant=account) as session:
        return companies.create(session, account, {"name": name}, actor=actor, now=now)


def rename(account, now, name, actor="person:7"):
    with db.transaction(tenant=account) as session:
        accounts.change(session, account, {"name": name}, version=None, actor=actor, now=now)


def page(account, wanted=None, **asked):
    with db.reading(tenant=account) as session:
        return trail.listed(session, account, asked=PageRequest(**asked), wanted=wanted)


def events(account, **wanted) -> list[str]:
    return [row.event for row in page(account, Wanted(**wanted)).items]


def export(account, now, **wanted):
    return trail.export(account, wanted=Wanted(**wanted), actor="person:7", now=now)


@pytest.mark.product("TEN-13")
def test_the_trail_says_who_did_what_to_what_and_when(account, now):
    made = a_company(account, now + timedelta(hours=1))

    row = page(account).items[0]

    assert (row.actor, row.event, row.subject, row.at) == (
        "person:7",
        "company:created",
        f"company:{made.id}",
        now + timedelta(hours=1),
    )


@pytest.mark.product("TEN-13")
@pytest.mark.security("17.1")
def test_the_trail_says_from_where(identity_app, account, now):
    with identity_app.test_request_context(
        environ_base={"REMOTE_ADDR": "192.0.2.7", "HTTP_USER_AGENT": "Firefox"}
    ):
        a_company(account, now)

    row = page(account).items[0]

    assert row.personal == {"address": "192.0.2.7", "user_agent": "Firefox"}
    assert row.request


@pytest.mark.product("TEN-13")
def test_the_trail_is_read_a_page_at_a_time_the_newest_first(account, now):
    for hour in range(5):
        rename(account, now + timedelta(hours=hour), f"Alfa {hour}")

    first = page(account, limit=4)
    second = page(account, limit=4, cursor=first.next)

    assert [row.personal["name"][1] for row in first.items] == [
        f"Alfa {hour}" for hour in (4, 3, 2, 1)
    ]
    assert second.items[0].personal["name"][1] == "Alfa 0"
    assert second.items[-1].event == "account:created"
    assert second.next is None


@pytest.mark.product("TEN-13")
def test_the_trail_is_filtered_by_what_happened(account, now):
    rename(account, now, "Inna")

    assert events(account, event="account:changed") == ["account:changed"]
    assert set(events(account, event="account")) == {"account:changed", "account:created"}
    assert events(account, event="acc") == []
    assert events(account, event="%") == []


@pytest.mark.product("TEN-13")
def test_the_trail_is_filtered_by_who_did_it_to_what_and_by_time(account, now):
    later = now + timedelta(days=1)
    made = a_company(account, later, actor="key:7")

    assert events(account, actor="key:7") == ["company:created"]
    assert events(account, subject=f"company:{made.id}") == ["company:created"]
    assert events(account, since=later) == ["company:created"]
    assert "company:created" in events(account, before=later)
    assert events(account, before=now) == []


@pytest.mark.security("13.6")
def test_a_page_leads_on_in_the_same_account_under_the_same_filters_alone(account, anna, now):
    other = lifecycle.create(name="Beta", creator=anna.id, actor="operator", now=now).id
    cursor = page(account, limit=1).next

    with pytest.raises(CursorUnusable):
        page(other, cursor=cursor)
    with pytest.raises(CursorUnusable):
        page(account, Wanted(event="account"), cursor=cursor)


@pytest.mark.security("13.6")
def test_an_account_reads_its_own_trail_alone(account, anna, now):
    other = lifecycle.create(name="Beta", creator=anna.id, actor="operator", now=now).id
    made = a_company(account, now)

    assert f"company:{made.id}" not in {row.subject for row in page(other).items}
    assert {row.account for row in page(other).items} == {other}


@pytest.mark.product("TEN-13")
def test_people_are_named_as_the_account_calls_them_and_others_are_not(account, anna, now):
    with db.transaction() as session:
        stranger = people.create(session, email="jan@example.com", given_name="Jan", now=now)
    rename(account, now, "Inna", actor=f"person:{stranger.id}")

    with db.reading(tenant=account) as session:
        rows = trail.listed(session, account, asked=PageRequest()).items
        found = trail.names(session, account, rows)

    member = next(row.subject for row in rows if row.event == "member:added")
    assert found == {f"person:{anna.id}": "Anna Żak", member: "Anna Żak"}


def test_a_label_that_names_nobody_is_no_trouble(account, now):
    rename(account, now, "Inna", actor="person:7")

    with db.reading(tenant=account) as session:
        rows = trail.listed(session, account, asked=PageRequest(limit=1)).items
        assert trail.names(session, account, rows) == {}


@pytest.mark.product("TEN-13")
def test_the_trail_is_sealed_and_shows_when_somebody_tampered_with_it(account, now):
    a_company(account, now)
    ledger.seal(db, now=now)
    assert ledger.verify(db).ok

    rewrite_behind_its_back(account)

    report = ledger.verify(db)
    assert not report.ok
    assert account_chain(account) in {finding.chain for finding in report.findings}


def rewrite_behind_its_back(account) -> None:
    """As somebody would who owns the database; past the triggers that keep rows as they are."""
    url = make_url(program.extensions()["klucznik.settings"].database_address)
    if ON_POSTGRESQL:
        owner = make_url(os.environ["KLUCZNIK_TEST_POSTGRESQL_URL"])
        url = owner.set(database=url.database)
    with create_engine(url, poolclass=pool.NullPool).begin() as connection:
        if ON_POSTGRESQL:
            connection.execute(text("SET session_replication_role = replica"))
        else:
            triggers = connection.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).scalars()
            for name in triggers.all():
                connection.execute(text(f'DROP TRIGGER "{name}"'))
        connection.execute(
            text("UPDATE ledger_entries SET actor = 'nobody' WHERE chain = :chain"),
            {"chain": account_chain(account)},
        )


@pytest.mark.product("TEN-13")
def test_the_whole_trail_is_exported_and_that_it_was_is_in_the_trail(account, now, monkeypatch):
    monkeypatch.setattr(trail, "MOST", 2)
    for hour in range(5):
        rename(account, now + timedelta(hours=hour), f"Alfa {hour}")

    rows = [one.row for one in export(account, now + timedelta(days=1))]

    assert rows[0].event == "account:audit:exported"
    assert len(rows) == 1 + 5 + 3
    assert rows[-1].event == "account:created"


@pytest.mark.product("TEN-13")
def test_what_is_exported_can_be_filtered(account, now):
    rename(account, now, "Inna")

    assert [one.row.event for one in export(account, now, event="account:changed")] == [
        "account:changed"
    ]
    assert page(account).items[0].details == {"wanted": ["account:changed"]}


@pytest.mark.product("TEN-13")
@pytest.mark.security("15.6")
def test_an_export_for_a_spreadsheet_holds_every_column_and_no_formula(account, now):
    rename(account, now, "=HYPERLINK(1)", actor="=person:7")

    text = "".join(trail.as_csv(export(account, now, event="account:changed")))
    (row,) = csv.DictReader(io.StringIO(text, newline=""))

    assert list(row) == list(trail.COLUMNS)
    assert (row["event"], row["actor"]) == ("account:changed", "'=person:7")
    assert json.loads(row["details"]) == {"fields": ["name"], "name": ["Alfa", "=HYPERLINK(1)"]}


@pytest.mark.product("TEN-13")
def test_an_export_for_programs_is_a_json_object_a_line(account, now):
    rename(account, now, "Inna")

    lines = list(trail.as_json_lines(export(account, now)))

    assert all(line.endswith("\n") for line in lines)
    row = next(r for r in map(json.loads, lines) if r["event"] == "account:changed")
    assert row["details"]["name"] == ["Alfa", "Inna"]
    assert set(row) == set(trail.COLUMNS)
