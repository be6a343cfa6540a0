import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.kernel.ledger.events import NOON, Event, write, write_and_seal
from tests.kernel.tables import LedgerDetail, LedgerEntry, db, ledger

pytestmark = pytest.mark.usefixtures("kernel_app")


def only_entry() -> LedgerEntry:
    with db.reading() as session:
        return session.scalars(select(LedgerEntry)).one()


def count(model) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.security("17.1")
def test_an_entry_says_who_did_what_to_whom_when_and_how_it_ended():
    write(
        event=Event.CHANGED,
        actor="operator:1",
        real_actor="operator:2",
        account="account:3",
        subject="person:4",
        result="failure",
        session_id="session:5",
        request_id="request:6",
    )

    entry = only_entry()
    assert (entry.event, entry.actor, entry.real_actor, entry.account, entry.subject) == (
        "person:password:changed",
        "operator:1",
        "operator:2",
        "account:3",
        "person:4",
    )
    assert (entry.result, entry.session, entry.request, entry.at) == (
        "failure",
        "session:5",
        "request:6",
        NOON,
    )


@pytest.mark.security("17.1")
def test_an_entry_has_its_keyed_digest_at_once_and_its_place_later():
    write()

    entry = only_entry()
    assert len(entry.mac) == 32
    assert entry.sequence is None
    assert entry.link is None


@pytest.mark.security("17.1")
def test_an_entry_is_written_with_the_change_or_not_at_all():
    def change_and_fail() -> None:
        with db.transaction() as session:
            ledger.append(
                session,
                chain="installation",
                event=Event.CHANGED,
                actor=None,
                subject=None,
                result="success",
                at=NOON,
                personal={"address": "192.0.2.1"},
            )
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()

    assert count(LedgerEntry) == 0
    assert count(LedgerDetail) == 0


def test_personal_fields_are_not_in_the_entry():
    write(personal={"email": "anna@example.com"})

    entry = only_entry()
    columns = [getattr(entry, column.name) for column in LedgerEntry.__table__.columns]
    assert "example.com" not in repr(columns)


def test_without_personal_fields_there_is_no_row_for_them():
    write(personal=None)

    assert count(LedgerDetail) == 0
    assert only_entry().personal_digest is None


@pytest.mark.parametrize(
    ("fields", "about"),
    [
        ({"actor": "operator", "subject": "anna"}, "operator"),
        ({"actor": None, "subject": "anna"}, "anna"),
        ({"actor": "operator", "subject": "anna", "about": "bob"}, "bob"),
        ({"actor": None, "subject": None}, None),
    ],
)
def test_personal_fields_are_about_whoever_acted_unless_said_otherwise(fields, about):
    write(**fields)

    assert only_entry().about == about


def test_a_history_has_the_newest_first_and_goes_on_where_the_page_ended():
    write(5)
    write(1, chain="person:bob")

    with db.reading() as session:
        first = ledger.history(session, chain="person:anna", limit=3)
        second = ledger.history(session, chain="person:anna", limit=3, before=first[-1].id)

    assert [row.details["number"] for row in first + second] == [4, 3, 2, 1, 0]
    assert first[0].personal == {"address": "192.0.2.4"}


def test_a_history_can_be_of_some_kinds_alone():
    write_and_seal(2)

    with db.reading() as session:
        written = ledger.history(session, chain="person:anna")
        kind = written[0].event
        same = ledger.history(session, chain="person:anna", events=[kind])
        none = ledger.history(session, chain="person:anna", events=["other:kind"])

    assert same == [row for row in written if row.event == kind]
    assert none == []


@pytest.mark.security("13.6")
def test_a_page_that_begins_in_another_history_is_empty():
    write_and_seal(2)
    write_and_seal(1, actor="bob", subject="bob", chain="person:bob")

    with db.reading() as session:
        theirs = ledger.history(session, chain="person:bob")[0].id
        page = ledger.history(session, chain="person:anna", before=theirs)

    assert page == []


@pytest.mark.security("10.3")
def test_erasing_takes_the_personal_fields_and_leaves_the_entries():
    write_and_seal(2)
    write_and_seal(1, actor="bob", subject="bob", chain="person:bob")

    with db.transaction() as session:
        erased = ledger.erase_personal(session, about="anna", by="operator", at=NOON)

    with db.reading() as session:
        anna = ledger.history(session, chain="person:anna")
        bob = ledger.history(session, chain="person:bob")
        on_record = ledger.history(session, chain="installation")
    assert erased == 2
    assert [row.personal for row in anna] == [{}, {}]
    assert bob[0].personal
    assert on_record[0].event == "ledger:personal:erased"
    assert (on_record[0].actor, on_record[0].subject) == ("operator", "anna")


@pytest.mark.security("10.3")
def test_personal_fields_can_be_erased_by_age():
    write_and_seal(3)

    with db.transaction() as session:
        erased = ledger.erase_personal_before(
            session, before=NOON + timedelta(seconds=2), by=None, at=NOON + timedelta(days=365)
        )

    with db.reading() as session:
        rows = ledger.history(session, chain="person:anna")
    assert erased == 2
    assert [bool(row.personal) for row in rows] == [True, False, False]


def test_erasing_nothing_is_not_put_on_record():
    with db.transaction() as session:
        ledger.erase_personal(session, about="nobody", by=None, at=NOON)

    assert count(LedgerEntry) == 0


HOSTILE = "\ud800\0\r\n«ż»" * 1000


def test_whatever_is_passed_through_makes_a_row_of_bounded_size():
    nested = {"a": {"b": {"c": {"d": {"e": {"f": "too deep"}}}}}}

    write(
        actor=HOSTILE,
        subject=HOSTILE,
        details={"text": HOSTILE, "list": list(range(10_000)), "nested": nested, HOSTILE: 1},
        personal={"user_agent": HOSTILE},
    )
    ledger.seal(db, now=NOON)

    entry = only_entry()
    assert len(entry.actor or "") == 120
    assert len(entry.details) < 10_000
    assert "too deep" not in entry.details
    assert len(json.loads(entry.details)["list"]) == 100
    assert ledger.verify(db).ok


def test_what_can_not_be_kept_for_ever_is_refused():
    with pytest.raises(TypeError, match="can't hold"):
        write(details={"object": object()})


def test_the_public_key_is_the_same_as_long_as_the_secret_is():
    assert ledger.public_key() == ledger.public_key()
    assert len(ledger.public_key()) == 32


def test_an_entry_written_without_a_session_is_the_same_and_holds():
    with db.hot_transaction() as transaction:
        ledger.append(
            transaction,
            chain="person:1",
            event=Event.CHANGED,
            actor="person:1",
            subject=None,
            result="success",
            at=NOON,
            details={"way": "hot"},
            personal={"address": "192.0.2.1"},
        )

    with db.reading() as session:
        (row,) = ledger.history(session, chain="person:1")
    assert (row.details, row.personal, row.at) == ({"way": "hot"}, {"address": "192.0.2.1"}, NOON)
    assert ledger.seal(db, now=NOON) == 1
    assert ledger.verify(db).ok


def test_an_entry_written_without_a_session_is_undone_with_its_transaction():
    def fail() -> None:
        with db.hot_transaction() as transaction:
            ledger.append(
                transaction,
                chain="person:1",
                event=Event.CHANGED,
                actor="person:1",
                subject=None,
                result="success",
                at=NOON,
            )
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    assert count(LedgerEntry) == 0
