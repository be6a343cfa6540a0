import pytest
from flask import Flask
from sqlalchemy import func, select

from kernel.crypto import CannotOpen
from kernel.outbox import Lane
from kernel.outbox.models import State
from kernel.outbox.service import bell_of, unseal, vault_of
from tests.kernel.outbox.messages import NOON, message, put
from tests.kernel.tables import OutboxMessage, db, outbox

pytestmark = pytest.mark.usefixtures("kernel_app")


def count() -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(OutboxMessage)) or 0


@pytest.mark.security("18.3")
def test_a_message_waits_from_the_commit_on():
    message_id = put()

    row = message(message_id)
    assert (row.state, row.due_at, row.attempts, row.lease) == (State.WAITING, NOON, 0, None)


def put_and_fail() -> None:
    with db.transaction() as session:
        outbox.put(session, lane=Lane.MAIL, kind="k", destination="d", payload={}, now=NOON)
        raise RuntimeError


@pytest.mark.security("18.3")
def test_a_message_is_undone_with_the_change_that_caused_it():
    with pytest.raises(RuntimeError):
        put_and_fail()

    assert count() == 0


@pytest.mark.security("8.6")
def test_a_payload_can_not_be_read_from_the_table():
    message_id = put(payload={"code": "canary-12345678"})

    assert b"canary" not in (message(message_id).payload or b"")


@pytest.mark.security("8.6")
def test_a_payload_copied_to_another_row_does_not_open(kernel_app: Flask):
    one, other = message(put()), message(put())

    vault = vault_of(kernel_app)

    assert unseal(vault, one.id, one.payload or b"") == {"number": 1}
    with pytest.raises(CannotOpen):
        unseal(vault, other.id, one.payload or b"")


def test_the_worker_of_this_process_is_woken_by_the_commit(kernel_app: Flask):
    bell_of(kernel_app).clear()

    put()

    assert bell_of(kernel_app).is_set()


def test_nobody_is_woken_for_what_was_undone(kernel_app: Flask):
    bell_of(kernel_app).clear()

    with pytest.raises(RuntimeError):
        put_and_fail()

    assert not bell_of(kernel_app).is_set()


def test_the_destination_is_cut_to_its_column():
    assert len(message(put(destination="x" * 1000)).destination) == 255


@pytest.mark.security("18.3")
def test_a_message_written_without_a_session_wakes_the_worker_too(kernel_app: Flask):
    bell_of(kernel_app).clear()

    with db.hot_transaction() as transaction:
        message_id = outbox.put(
            transaction, lane=Lane.MAIL, kind="k", destination="d", payload={"a": 1}, now=NOON
        )
        assert not bell_of(kernel_app).is_set()

    row = message(message_id)
    assert bell_of(kernel_app).is_set()
    assert (row.state, row.due_at, row.attempts, row.lease) == (State.WAITING, NOON, 0, None)
    assert unseal(vault_of(kernel_app), row.id, row.payload or b"") == {"a": 1}
