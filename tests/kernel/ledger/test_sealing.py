from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import func, select

from tests.conftest import ON_POSTGRESQL
from tests.kernel.ledger.events import NOON, tamper, write, write_and_seal
from tests.kernel.second_process import race
from tests.kernel.tables import LedgerEntry, LedgerHead, db, ledger
from tests.statements import asked_of

pytestmark = pytest.mark.usefixtures("kernel_app")


def heads() -> list[LedgerHead]:
    with db.reading() as session:
        return list(session.scalars(select(LedgerHead).order_by(LedgerHead.number)))


def sequences(chain: str) -> list[int | None]:
    with db.reading() as session:
        return list(
            session.scalars(
                select(LedgerEntry.sequence)
                .where(LedgerEntry.chain == chain)
                .order_by(LedgerEntry.id)
            )
        )


@pytest.mark.security("17.1")
def test_each_chain_is_numbered_on_its_own():
    write(3)
    write(2, chain="account:1")
    write(1, chain="installation")

    sealed = ledger.seal(db, now=NOON)

    assert sealed == 6
    assert sequences("person:anna") == [1, 2, 3]
    assert sequences("account:1") == [1, 2]
    assert sequences("installation") == [1]


@pytest.mark.security("17.1")
def test_each_sealing_signs_where_its_chains_stand():
    write_and_seal(2)
    write(1)
    write_and_seal(1, chain="account:1")

    signed = [(head.number, head.chain, head.sequence) for head in heads()]
    assert signed == [(1, "person:anna", 2), (2, "account:1", 1), (3, "person:anna", 3)]
    assert [head.signature is not None for head in heads()] == [True, False, True]


def test_an_auditor_needs_the_public_key_only():
    write_and_seal()

    head = heads()[-1]

    # Raises unless it fits.
    Ed25519PublicKey.from_public_bytes(ledger.public_key()).verify(
        head.signature or b"", head.digest
    )


def test_nothing_new_makes_no_head():
    write_and_seal()

    assert ledger.seal(db, now=NOON) == 0
    assert len(heads()) == 1


def test_more_rows_than_fit_into_one_transaction_are_sealed_in_several():
    write(450)

    assert ledger.seal(db, now=NOON) == 450
    assert sequences("person:anna") == list(range(1, 451))
    assert [head.sequence for head in heads()] == [200, 400, 450]
    assert ledger.verify(db).ok


def test_a_chain_whose_end_was_removed_goes_on_behind_the_gap():
    """Numbering again from what is left would hide the removal."""
    write_and_seal(3)
    tamper("DELETE FROM ledger_entries WHERE sequence > 1")

    write_and_seal(1)

    assert sequences("person:anna") == [1, 4]


def test_a_chain_whose_heads_were_removed_can_still_be_sealed():
    write_and_seal(3)
    tamper("DELETE FROM ledger_heads")

    write_and_seal(1, sealed_at=NOON + timedelta(seconds=1))

    assert sequences("person:anna") == [1, 2, 3, 4]
    assert not ledger.verify(db).ok


def test_the_newest_head_is_one_word():
    assert ledger.newest_head(db) is None

    write_and_seal()

    number, digest, signature = (ledger.newest_head(db) or "").split(".")
    assert number == "1"
    assert bytes.fromhex(digest) == heads()[0].digest
    assert bytes.fromhex(signature) == heads()[0].signature


def test_sealing_asks_as_often_however_much_there_is():
    write(1)
    with asked_of(db.engine) as little:
        ledger.seal(db, now=NOON)
    write(20, chain="account:1")
    write(20, chain="person:berta")

    with asked_of(db.engine) as much:
        assert ledger.seal(db, now=NOON) == 40

    assert much.cost == little.cost
    assert little.commits == 1


def test_sealing_finds_all_by_an_index():
    """A chain may be as long as an installation is old."""
    write(2)
    with asked_of(db.engine) as asked:
        ledger.seal(db, now=NOON)

    for sql, values in asked.runs:
        assert is_by_index(sql, values), sql


def is_by_index(sql: str, values: Any) -> bool:
    """Whether this statement reads no table from end to end."""
    with db.reading() as session:
        cursor = session.connection().connection.cursor()
        if ON_POSTGRESQL:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}", values)
            return not any("Seq Scan" in row[0] or "Sort" in row[0] for row in cursor.fetchall())
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        scans = [row[3] for row in cursor.fetchall() if row[3].startswith("SCAN ")]
    return all("INDEX" in scan or scan == "SCAN batch" for scan in scans)


def test_looking_in_vain_is_one_look():
    with asked_of(db.engine) as asked:
        assert ledger.seal(db, now=NOON) == 0

    assert asked.cost == (1, 0, 0)


def append_and_seal(number: int) -> int:
    write(2, chain=f"person:{number % 3}")
    return ledger.seal(db, now=NOON)


@pytest.mark.security("15.2", "17.1")
def test_sealers_in_several_processes_never_number_a_row_twice():
    sealed = race(append_and_seal, times=20)
    rest = ledger.seal(db, now=NOON)

    report = ledger.verify(db)
    with db.reading() as session:
        written = session.scalar(select(func.count()).select_from(LedgerEntry))
    assert written == 40
    assert sum(sealed) + rest == 40
    assert report.ok, report.findings
    assert (report.entries, report.chains, report.unsealed) == (40, 3, 0)
