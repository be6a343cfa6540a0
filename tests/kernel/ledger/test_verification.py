"""Whoever has the database but not the ledger's secret is found out, and where."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from kernel.ids import new_id
from tests.kernel.ledger.events import NOON, problems, tamper, write, write_and_seal
from tests.kernel.tables import db, ledger

pytestmark = pytest.mark.usefixtures("kernel_app")

ENTRIES, DETAILS, HEADS = (
    ledger.tables.entries,
    ledger.tables.details,
    ledger.tables.heads,
)
ANNA = "person:anna"
OTHER = {
    "id": UUID(int=7),
    "chain": "person:mallory",
    "at": NOON + timedelta(days=1),
    "event": "person:sign-in:failure",
    "result": "failure",
    "actor": "mallory",
    "real_actor": "mallory",
    "account": "mallory",
    "subject": "mallory",
    "session": "mallory",
    "request": "mallory",
    "details": '{"number":100}',
    "about": "mallory",
    "personal_digest": b"x" * 32,
    "mac": b"x" * 32,
    "sequence": 100,
    "head": 100,
    "link": b"x" * 32,
}


def entry_ids() -> list[UUID]:
    with db.reading() as session:
        return list(session.scalars(select(ENTRIES.c.id).order_by(ENTRIES.c.id)))


def change_entry(number: int, **values) -> None:
    with db.transaction() as session:
        session.execute(update(ENTRIES).where(ENTRIES.c.sequence == number).values(**values))


def entry(sequence: int) -> dict[str, Any]:
    with db.reading() as session:
        row = session.execute(select(ENTRIES).where(ENTRIES.c.sequence == sequence)).mappings()
        return dict(row.one())


@pytest.mark.security("17.1")
def test_an_untouched_ledger_is_whole():
    write_and_seal(3)
    write_and_seal(2, chain="account:1", personal=None)
    write(1)

    report = ledger.verify(db)

    assert report.ok
    assert (report.entries, report.chains, report.heads, report.unsealed) == (5, 2, 2, 1)
    assert report.oldest_unsealed == NOON


def test_an_empty_ledger_is_whole():
    assert ledger.verify(db).ok


def test_every_column_is_tried_below():
    assert set(OTHER) == set(ENTRIES.c.keys())


@pytest.mark.security("17.1")
@pytest.mark.parametrize("column", OTHER)
def test_a_changed_column_is_found(column):
    write_and_seal(3)

    change_entry(2, **{column: OTHER[column]})

    assert problems() != []


@pytest.mark.security("17.1")
@pytest.mark.parametrize("column", ["at", "event", "result", "actor", "subject", "details"])
def test_a_change_of_content_is_found_at_its_row_and_nowhere_else(column):
    write_and_seal(3)

    change_entry(2, **{column: OTHER[column]})

    assert problems() == [("CHANGED", ANNA, 2)]


@pytest.mark.security("17.1")
@pytest.mark.parametrize("column", sorted(set(OTHER) - {"id", "chain", "sequence", "head", "link"}))
def test_a_change_before_the_sealing_is_found(column):
    write(1)
    tamper_value = OTHER[column]

    with db.transaction() as session:
        session.execute(update(ENTRIES).values(**{column: tamper_value}))

    assert ("CHANGED", ANNA, None) in problems()
    ledger.seal(db, now=NOON)
    assert ("CHANGED", ANNA, 1) in problems()


@pytest.mark.security("17.1")
@pytest.mark.parametrize("removed", [1, 2, 3])
def test_a_removed_row_is_found_and_where_it_was(removed):
    write_and_seal(3)

    tamper("DELETE FROM ledger_details")
    tamper("DELETE FROM ledger_entries WHERE sequence = :removed", removed=removed)

    assert ("REMOVED", ANNA, removed) in problems()


@pytest.mark.security("17.1")
def test_a_removed_end_is_found_after_the_chain_went_on():
    write_and_seal(3, personal=None)
    tamper("DELETE FROM ledger_entries WHERE sequence > 1")

    write_and_seal(2, personal=None)

    assert problems() == [("REMOVED", ANNA, 2), ("REMOVED", ANNA, 3)]


@pytest.mark.security("17.1")
def test_a_removed_chain_is_found():
    write_and_seal(3, personal=None)
    write_and_seal(1, chain="person:bob", personal=None)

    tamper("DELETE FROM ledger_entries WHERE chain = 'person:anna'")
    tamper("DELETE FROM ledger_heads WHERE chain = 'person:anna'")

    found = ledger.verify(db).findings
    assert [(each.problem.name, each.head) for each in found] == [("HEAD_REMOVED", 1)]


@pytest.mark.security("17.1")
def test_a_row_written_by_hand_is_found():
    write_and_seal(2, personal=None)
    with db.transaction() as session:
        session.execute(
            insert(ENTRIES), {**entry(2), "id": new_id(), "sequence": None, "link": None}
        )

    ledger.seal(db, now=NOON)

    assert problems() == [("CHANGED", ANNA, 3)]


@pytest.mark.security("17.1")
def test_a_row_put_into_a_chain_with_a_number_is_found():
    write_and_seal(2, personal=None)
    write(1, chain=ANNA, personal=None)

    with db.transaction() as session:
        session.execute(
            update(ENTRIES)
            .where(ENTRIES.c.sequence.is_(None))
            .values(sequence=3, head=1, link=b"x" * 32)
        )

    assert problems() == [("UNSIGNED", ANNA, 3)]


@pytest.mark.security("17.1")
def test_rows_that_changed_places_are_found():
    write_and_seal(3, personal=None)
    second, third = entry(2), entry(3)

    change_entry(2, sequence=99)
    change_entry(3, sequence=2, link=second["link"])
    change_entry(99, sequence=3, link=third["link"])

    assert problems() == [("MOVED", ANNA, 2), ("MOVED", ANNA, 3)]


@pytest.mark.security("17.1")
def test_a_row_moved_to_another_chain_is_found():
    write_and_seal(2, personal=None)

    tamper("UPDATE ledger_entries SET chain = 'person:bob', sequence = 1 WHERE sequence = 2")

    assert ("CHANGED", "person:bob", 1) in problems()
    assert ("REMOVED", ANNA, 2) in problems()


@pytest.mark.security("17.1")
def test_a_row_that_was_unsealed_and_sealed_again_is_found():
    write_and_seal(3, personal=None)
    tamper("UPDATE ledger_entries SET sequence = NULL, link = NULL WHERE sequence = 2")

    ledger.seal(db, now=NOON)

    assert ("REMOVED", ANNA, 2) in problems()


@pytest.mark.security("17.1")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("chain", "person:mallory"),
        ("sequence", 7),
        ("link", b"x" * 32),
        ("sealed_at", NOON + timedelta(days=1)),
        ("digest", b"x" * 32),
        ("signature", b"x" * 64),
        ("number", 7),
    ],
)
def test_a_changed_head_is_found(column, value):
    write_and_seal(1)
    write_and_seal(1)

    with db.transaction() as session:
        session.execute(update(HEADS).where(HEADS.c.number == 2).values(**{column: value}))

    assert {"HEAD_CHANGED", "HEAD_REMOVED"} & {name for name, _, _ in problems()}


@pytest.mark.security("17.1")
@pytest.mark.parametrize("number", [1, 2])
def test_a_removed_head_is_found(number):
    for _ in range(3):
        write_and_seal(1)

    tamper("DELETE FROM ledger_heads WHERE number = :number", number=number)

    assert number in {found.head for found in ledger.verify(db).findings}


def test_a_missing_signature_is_found():
    write_and_seal(1)

    tamper("UPDATE ledger_heads SET signature = NULL")

    assert [name for name, _, _ in problems()] == ["HEAD_REMOVED"]


@pytest.mark.security("17.1")
def test_an_end_removed_together_with_its_heads_is_found():
    """New heads take the old numbers, but what else was sealed under those no longer fits."""
    write_and_seal(2, personal=None)
    write(1, personal=None)
    write_and_seal(1, chain="person:bob", personal=None)
    tamper("DELETE FROM ledger_entries WHERE chain = 'person:anna' AND sequence = 3")
    tamper("DELETE FROM ledger_heads WHERE number >= 2")

    for chain in (ANNA, "person:bob"):
        later = NOON + timedelta(seconds=1)
        write_and_seal(1, chain=chain, personal=None, sealed_at=later)

    assert ("UNSIGNED", "person:bob", 1) in problems() or ("MOVED", "person:bob", 1) in problems()


@pytest.mark.security("17.1")
def test_a_ledger_put_back_as_a_whole_is_found_by_a_head_kept_elsewhere():
    write_and_seal(1, personal=None)
    write_and_seal(1, personal=None)
    kept = ledger.newest_head(db)
    tamper("DELETE FROM ledger_entries WHERE sequence = 2")
    tamper("DELETE FROM ledger_heads WHERE number = 2")

    alone = ledger.verify(db)
    with_kept = ledger.verify(db, known_head=kept)

    assert alone.ok
    assert [each.problem.name for each in with_kept.findings] == ["ROLLED_BACK"]


def test_a_ledger_that_went_another_way_is_found_by_a_head_kept_elsewhere():
    write_and_seal(1, personal=None)
    write_and_seal(1, personal=None)
    kept = ledger.newest_head(db)
    tamper("DELETE FROM ledger_entries WHERE sequence = 2")
    tamper("DELETE FROM ledger_heads WHERE number = 2")
    write_and_seal(1, personal=None)

    findings = ledger.verify(db, known_head=kept).findings

    assert [each.problem.name for each in findings] == ["ROLLED_BACK"]


def test_a_head_kept_elsewhere_stays_good_while_the_ledger_grows():
    write_and_seal(1)
    kept = ledger.newest_head(db)

    write_and_seal(3)

    assert ledger.verify(db, known_head=kept).ok


@pytest.mark.security("17.1")
@pytest.mark.parametrize(
    ("column", "value"), [("fields", '{"address":"192.0.2.99"}'), ("salt", b"x" * 16)]
)
def test_changed_personal_fields_are_found(column, value):
    write_and_seal(2)
    with db.transaction() as session:
        session.execute(
            update(DETAILS).where(DETAILS.c.entry_id == entry(2)["id"]).values(**{column: value})
        )

    assert problems() == [("PERSONAL_CHANGED", ANNA, 2)]


@pytest.mark.security("17.1")
def test_personal_fields_that_vanish_without_a_word_are_found():
    write_and_seal(2)
    with db.transaction() as session:
        session.execute(delete(DETAILS).where(DETAILS.c.entry_id == entry(2)["id"]))

    assert problems() == [("PERSONAL_REMOVED", ANNA, 2)]


@pytest.mark.security("17.1")
def test_personal_fields_of_no_entry_are_found():
    write_and_seal(1, personal=None)
    with db.transaction() as session:
        session.execute(
            insert(DETAILS),
            {"entry_id": entry(1)["id"], "at": NOON, "salt": b"x" * 16, "fields": "{}"},
        )

    assert [name for name, _, _ in problems()] == ["PERSONAL_INSERTED"]


@pytest.mark.security("10.3", "17.1")
def test_an_erasure_on_record_breaks_nothing():
    write_and_seal(3)
    write_and_seal(1, chain="person:bob", actor="bob", subject="bob")

    with db.transaction() as session:
        ledger.erase_personal(session, about="anna", by="operator", at=NOON + timedelta(days=1))
    ledger.seal(db, now=NOON)

    assert problems() == []


def test_an_erasure_by_age_on_record_breaks_nothing():
    write_and_seal(3)

    with db.transaction() as session:
        ledger.erase_personal_before(
            session, before=NOON + timedelta(seconds=2), by=None, at=NOON + timedelta(days=1)
        )

    assert problems() == []


def test_an_erasure_covers_only_what_was_there_when_it_was_done():
    write_and_seal(1)
    with db.transaction() as session:
        ledger.erase_personal(session, about="anna", by=None, at=NOON)
    write_and_seal(1, at=NOON + timedelta(days=1))

    tamper("UPDATE ledger_details SET salt = NULL, fields = NULL")

    assert problems() == [("PERSONAL_REMOVED", ANNA, 2)]


def test_an_erasure_written_by_hand_covers_nothing():
    write_and_seal(2)
    forged = {
        **entry(1),
        "id": new_id(),
        "chain": "installation",
        "event": "ledger:personal:erased",
        "at": NOON + timedelta(days=1),
        "personal_digest": None,
        "about": None,
        "sequence": None,
        "link": None,
    }
    with db.transaction() as session:
        session.execute(insert(ENTRIES), forged)
        session.execute(delete(DETAILS).where(DETAILS.c.entry_id == entry(2)["id"]))

    assert ("PERSONAL_REMOVED", ANNA, 2) in problems()


def test_another_secret_can_not_vouch_for_a_ledger(kernel_app):
    write_and_seal(1)
    ours = kernel_app.extensions["klucznik.settings"]

    kernel_app.extensions["klucznik.settings"] = ours.model_copy(
        update={"ledger_key": ours.encryption_keys}
    )

    assert not ledger.verify(db).ok


def test_very_many_findings_are_cut():
    write_and_seal(1)
    change_entry(1, sequence=2_000)

    report = ledger.verify(db)

    assert len(report.findings) == 1_000
    assert report.cut


def test_a_finding_says_where_in_a_sentence():
    write_and_seal(2)
    change_entry(2, event="person:sign-in:failure")

    (finding,) = ledger.verify(db).findings

    assert str(finding).startswith("chain person:anna, row 2, id ")
    assert str(finding).endswith("changed, or written by hand")


def test_a_ledger_larger_than_a_page_is_read_to_its_end():
    for number in range(6):
        write(200, chain=f"person:{number}", personal=None)
    ledger.seal(db, now=NOON)
    change_entry(200, actor="mallory")

    report = ledger.verify(db)

    assert report.entries == 1_200
    assert [found.sequence for found in report.findings] == [200] * 6


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    written=st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 4)), min_size=1, max_size=6),
    victim=st.integers(0),
    column=st.sampled_from(sorted(set(OTHER) - {"id"})),
)
def test_whatever_was_written_any_one_change_is_found(written, victim, column):
    """Any history of writing and sealing is whole; one change to any row of it is not."""
    with db.transaction() as session:
        for table in (ENTRIES, DETAILS, HEADS):
            session.execute(delete(table))
    for chain, count in written:
        write_and_seal(count, chain=f"person:{chain}", personal=None)
    assert ledger.verify(db).ok
    ids = entry_ids()

    with db.transaction() as session:
        session.execute(
            update(ENTRIES)
            .where(ENTRIES.c.id == ids[victim % len(ids)])
            .values(**{column: OTHER[column]})
        )

    assert not ledger.verify(db).ok
