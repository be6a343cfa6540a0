from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from kernel.outbox import Lane, queue
from kernel.outbox.models import State
from kernel.outbox.queue import LEASE, Taken
from tests.kernel.outbox.messages import NOON, message, put
from tests.kernel.second_process import race
from tests.kernel.tables import db, outbox

pytestmark = pytest.mark.usefixtures("kernel_app")

TABLE = outbox.table


def settle(settlement: queue.Settlement) -> bool:
    return queue.settle(db, TABLE, [settlement]) == 1


def finish(message: Taken, state: State = State.DELIVERED, now=NOON) -> bool:
    return settle(queue.finished(message, state, now=now))


def take(count: int = 1, *, destination="a.example", lane=Lane.WEBHOOK, now=NOON) -> list[Taken]:
    return queue.take(db, TABLE, lane, {destination: count}, now=now)


def test_a_message_that_was_taken_is_nobody_else_s_until_its_lease_ends():
    message_id = put()

    first = take()
    meanwhile = take(now=NOON + LEASE - timedelta(seconds=1))
    afterwards = take(now=NOON + LEASE)

    assert [taken.id for taken in first] == [message_id]
    assert meanwhile == []
    assert [(taken.id, taken.attempts) for taken in afterwards] == [(message_id, 2)]


def test_a_lease_that_is_renewed_goes_on():
    put()
    held = take()

    queue.renew(db, TABLE, held, now=NOON + timedelta(seconds=20))
    queue.renew(db, TABLE, [], now=NOON)

    assert take(now=NOON + LEASE) == []
    assert take(now=NOON + LEASE + timedelta(seconds=20)) != []


@pytest.mark.security("18.3")
def test_who_lost_the_lease_can_not_close_the_message():
    message_id = put()
    slow = take()[0]
    quick = take(now=NOON + LEASE)[0]

    assert not finish(slow, State.DELIVERED, now=NOON + LEASE)
    assert finish(quick, State.DELIVERED, now=NOON + LEASE)
    assert message(message_id).state == State.DELIVERED


def test_messages_to_one_destination_go_one_by_one_in_their_order():
    ids = [put(now=NOON - timedelta(seconds=10 - number)) for number in range(3)]

    order = []
    for _ in range(3):
        (taken,) = take(5)
        assert take(5) == []
        order.append(taken.id)
        finish(taken, State.DELIVERED, now=NOON)

    assert order == ids


def test_a_mail_server_gets_several_mails_at_once():
    for _ in range(6):
        put(lane=Lane.MAIL, destination="smtp")

    assert len(take(6, lane=Lane.MAIL, destination="smtp")) == 4
    assert take(6, lane=Lane.MAIL, destination="smtp") == []


def test_a_message_is_not_taken_before_its_time():
    put(now=NOON + timedelta(minutes=1))

    assert take() == []
    assert queue.lanes_with_something_due(db, TABLE, now=NOON) == []
    assert queue.lanes_with_something_due(db, TABLE, now=NOON + timedelta(minutes=1)) == [
        Lane.WEBHOOK
    ]


def test_destinations_are_named_by_how_long_they_have_waited():
    put(destination="late.example", now=NOON - timedelta(minutes=1))
    put(destination="later.example", now=NOON - timedelta(seconds=1))
    put(destination="later.example", now=NOON - timedelta(minutes=5))
    put(destination="mail.example", lane=Lane.MAIL)

    def named(**options):
        return queue.waiting_destinations(db, TABLE, Lane.WEBHOOK, now=NOON, **options)

    assert named() == ["later.example", "late.example"]
    assert named(without=["later.example"]) == ["late.example"]
    assert named(limit=1) == ["later.example"]


@pytest.mark.security("18.3")
def test_what_was_delivered_or_expired_says_nothing_any_more():
    delivered, expired = put(), put(destination="b.example")

    finish(take()[0], State.DELIVERED, now=NOON)
    finish(take(destination="b.example")[0], State.EXPIRED, now=NOON)

    assert message(delivered).payload is None
    assert message(expired).payload is None


@pytest.mark.security("18.3")
def test_a_message_that_was_given_up_keeps_what_it_said_and_can_be_sent_again():
    message_id = put()
    settle(queue.given_up(take()[0], error="Timeout", now=NOON))
    dead = message(message_id)

    with db.transaction() as session:
        again = queue.retry_dead(session, TABLE, [message_id], now=NOON)

    assert (dead.state, dead.last_error, dead.finished_at) == (State.DEAD, "Timeout", NOON)
    assert dead.payload is not None
    assert again == 1
    assert [(taken.id, taken.attempts) for taken in take()] == [(message_id, 1)]


def test_only_dead_messages_can_be_sent_again():
    message_id = put()

    with db.transaction() as session:
        assert queue.retry_dead(session, TABLE, [message_id], now=NOON) == 0


@pytest.mark.security("18.1")
def test_waits_double_up_to_an_hour_and_are_never_in_step():
    waits = [queue.wait_after(attempts) for attempts in range(1, 40)]

    for attempts, wait in enumerate(waits, start=1):
        longest = min(timedelta(seconds=2 ** (attempts - 1)), timedelta(hours=1))
        assert longest / 2 <= wait <= longest
    assert len({queue.wait_after(30) for _ in range(10)}) > 1


@pytest.mark.security("18.7")
def test_finished_messages_are_removed_in_small_batches():
    for number in range(5):
        put(destination=f"{number}.example")
        finish(take(destination=f"{number}.example")[0], State.DELIVERED, now=NOON)
    waiting = put()

    removed = [queue.clean(db, TABLE, before=NOON + timedelta(days=1), batch=2) for _ in range(4)]

    assert removed == [2, 2, 1, 0]
    assert message(waiting).state == State.WAITING


def test_the_oldest_overdue_message_is_known_and_an_expired_one_is_not_late():
    put(now=NOON - timedelta(hours=2), expires_at=NOON - timedelta(hours=1))
    put(now=NOON - timedelta(minutes=3))

    assert queue.oldest_due(db, TABLE, Lane.WEBHOOK, now=NOON) == NOON - timedelta(minutes=3)
    assert queue.oldest_due(db, TABLE, Lane.MAIL, now=NOON) is None


def take_everything(_number: int) -> list[UUID]:
    """What one worker gets out of a queue that many reach into."""
    taken: list[UUID] = []
    for _ in range(200):
        destinations = queue.waiting_destinations(db, TABLE, Lane.WEBHOOK, now=NOON)
        if not destinations:
            return taken
        for found in queue.take(db, TABLE, Lane.WEBHOOK, dict.fromkeys(destinations, 1), now=NOON):
            taken.append(found.id)
            finish(found, State.DELIVERED, now=NOON)
    return taken


@pytest.mark.security("15.2", "18.3")
def test_workers_in_several_processes_never_take_one_message_twice():
    ids = {put(destination=f"{number % 7}.example") for number in range(40)}

    taken = [found for share in race(take_everything, times=6) for found in share]

    assert sorted(taken) == sorted(ids)
    with db.reading() as session:
        states = set(session.scalars(select(TABLE.c.state)))
    assert states == {State.DELIVERED}


def test_a_message_without_a_payload_is_taken_like_any():
    """It can't be opened, so the worker gives it up, instead of stopping at it for ever."""
    message_id = put()
    with db.transaction() as session:
        session.execute(update(TABLE).where(TABLE.c.id == message_id).values(payload=None))

    assert take()[0].sealed == b""
