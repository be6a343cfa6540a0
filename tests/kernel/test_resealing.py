import pytest
from sqlalchemy import select, update

from kernel import resealing
from kernel.crypto import Vault
from kernel.outbox import Lane
from kernel.outbox.service import seal, unseal
from kernel.resealing import Resealed, reseal
from tests.kernel.tables import OutboxMessage, db, outbox

OLD, NEW, GONE = (bytes([number]) * 32 for number in (1, 2, 3))

pytestmark = pytest.mark.usefixtures("kernel_app")


@pytest.fixture
def vault():
    return Vault([NEW, OLD])


def a_message(now, key, payload):
    with db.transaction() as session:
        message_id = outbox.put(
            session, lane=Lane.MAIL, kind="mail", destination="", payload={}, now=now
        )
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == message_id)
            .values(payload=seal(Vault([key]), message_id, payload))
        )
    return message_id


def payload_of(message_id):
    with db.reading() as session:
        return session.scalars(
            select(OutboxMessage.payload).where(OutboxMessage.id == message_id)
        ).one()


@pytest.mark.security("13.3")
def test_what_an_older_key_sealed_opens_with_the_newest_alone(now, vault):
    ids = [a_message(now, OLD, {"number": number}) for number in range(3)]

    done = reseal(db, vault, outbox.sealed(), tell=lambda _: None)

    assert done == Resealed("messages", renewed=3, current=0, lost=0)
    newest = Vault([NEW])
    assert [unseal(newest, one, payload_of(one))["number"] for one in ids] == [0, 1, 2]


def test_what_the_newest_key_sealed_is_left_alone(now, vault):
    one = a_message(now, NEW, {})
    before = payload_of(one)

    done = reseal(db, vault, outbox.sealed(), tell=lambda _: None)

    assert (done.renewed, done.current) == (0, 1)
    assert payload_of(one) == before


def test_what_no_key_opens_is_counted_and_left_alone(now, vault):
    one = a_message(now, GONE, {})
    before = payload_of(one)

    done = reseal(db, vault, outbox.sealed(), tell=lambda _: None)

    assert (done.renewed, done.lost) == (0, 1)
    assert payload_of(one) == before


def test_an_emptied_payload_is_none_of_it(now, vault):
    one = a_message(now, OLD, {})
    with db.transaction() as session:
        session.execute(update(OutboxMessage).values(payload=None))

    assert reseal(db, vault, outbox.sealed(), tell=lambda _: None).renewed == 0
    assert payload_of(one) is None


def test_many_are_done_in_batches(now, vault, monkeypatch):
    monkeypatch.setattr(resealing, "_BATCH", 2)
    for _ in range(5):
        a_message(now, OLD, {})
    told: list[int] = []

    assert reseal(db, vault, outbox.sealed(), tell=told.append).renewed == 5
    assert told == [2, 4, 5]


def test_a_value_that_changes_meanwhile_stays_as_it_became(now, vault, monkeypatch):
    one = a_message(now, OLD, {"text": "before"})
    newer = seal(vault, one, {"text": "after"})
    really = resealing._write

    def late(database, sealed, changes):
        with db.transaction() as session:
            session.execute(update(OutboxMessage).values(payload=newer))
        really(database, sealed, changes)

    monkeypatch.setattr(resealing, "_write", late)

    reseal(db, vault, outbox.sealed(), tell=lambda _: None)

    assert payload_of(one) == newer
