from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from kernel.limits import Delays, Refusal, Taken, Window
from tests.kernel.second_process import race
from tests.kernel.tables import Limit, db, limits

HOURLY = Window("mail", 5, timedelta(hours=1))
DELAYS = Delays("sign-in", free=3)
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
ADDRESS = "anna@example.com"


pytestmark = pytest.mark.usefixtures("kernel_app")


def take(policy=HOURLY, key=ADDRESS, now=NOON):
    return limits.take(db, key=key, policy=policy, now=now)


def fail(times: int, now: datetime, policy=DELAYS) -> datetime:
    """So many failures in a row, each as soon as it may be; the time after the last."""
    for _ in range(times):
        answer = take(policy, now=now)
        if isinstance(answer, Refusal):
            now = answer.retry_at
            answer = take(policy, now=now)
        assert isinstance(answer, Taken)
    return now


@pytest.mark.security("3.11")
def test_a_window_lets_its_number_through_and_no_more(now):
    answers = [take() for _ in range(6)]

    assert answers[:5] == [Taken(count, was_last=count == 5) for count in range(1, 6)]
    assert answers[5] == Refusal(now + timedelta(hours=1), count=5)


def test_looking_until_when_one_is_refused_counts_nothing(now):
    def look(at):
        with db.reading() as session:
            return limits.refused_until(session, key=ADDRESS, policy=HOURLY, now=at)

    before = look(now)
    for _ in range(4):
        take()
    free = [look(now) for _ in range(9)]
    take()

    assert before is None
    assert free == [None] * 9
    assert look(now) == now + timedelta(hours=1)
    assert look(now + timedelta(hours=1)) is None


def test_a_new_window_begins_with_the_first_try_after_the_old_one(now):
    for _ in range(5):
        take()

    later = now + timedelta(hours=1)

    assert take(now=later) == Taken(1, was_last=False)


def test_a_window_is_not_made_longer_by_tries_in_it(now):
    take()
    for _ in range(10):
        take(now=now + timedelta(minutes=59))

    assert isinstance(take(now=now + timedelta(minutes=60)), Taken)


@pytest.mark.security("2.1")
def test_failures_in_a_row_have_to_wait_longer_each_time(now):
    waits = []
    moment = now
    for _ in range(9):
        take(DELAYS, now=moment)
        refused = take(DELAYS, now=moment)
        if isinstance(refused, Refusal):
            waits.append(int((refused.retry_at - moment).total_seconds()))
            moment = refused.retry_at

    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


@pytest.mark.security("2.2")
def test_asking_while_refused_does_not_make_it_longer(now):
    fail(3, now)
    first = take(DELAYS)

    for _ in range(50):
        take(DELAYS)

    assert take(DELAYS) == first
    assert isinstance(take(DELAYS, now=now + timedelta(seconds=30)), Taken)


@pytest.mark.security("2.1")
def test_after_a_hundred_failures_in_a_row_only_clearing_helps(now):
    moment = fail(100, now)
    years_later = moment + timedelta(days=3650)

    answer = take(DELAYS, now=years_later)
    with db.transaction() as session:
        limits.clear(session, key=ADDRESS, policy=DELAYS)

    assert isinstance(answer, Refusal)
    assert answer.for_good
    assert answer.count == 100
    assert answer.retry_after(years_later) == 24 * 3600
    assert take(DELAYS, now=years_later) == Taken(1, was_last=False)


def test_a_success_starts_the_count_anew(now):
    fail(2, now)

    with db.transaction() as session:
        limits.clear(session, key=ADDRESS, policy=DELAYS)

    assert [take(DELAYS).count for _ in range(3)] == [1, 2, 3]


def test_the_very_first_try_can_be_the_last(now):
    strict = Delays("operator", free=1, first=timedelta(seconds=7))
    once = Window("export", 1, timedelta(days=1))

    for policy, until in ((strict, timedelta(seconds=7)), (once, timedelta(days=1))):
        assert take(policy) == Taken(1, was_last=True)
        assert take(policy) == Refusal(now + until, count=1)


def test_keys_and_policies_are_counted_apart():
    for _ in range(5):
        take()

    assert isinstance(take(key="bob@example.com"), Taken)
    assert isinstance(take(Window("code", 5, timedelta(hours=1))), Taken)


def test_several_limits_at_once_stop_at_the_first_refusal(now):
    place = Window("place", 2, timedelta(hours=1))
    tries = [("192.0.2.1", place), (ADDRESS, HOURLY)]

    answers = [limits.take_all(db, tries, now=now) for _ in range(3)]

    assert answers[0] == Taken(1, was_last=False)
    assert answers[1] == Taken(2, was_last=True)
    assert answers[2] == Refusal(now + timedelta(hours=1), count=2)
    assert take().count == 3


def test_who_tried_can_not_be_read_from_the_table():
    take()

    with db.reading() as session:
        row = session.scalars(select(Limit)).one()

    assert len(row.key_hash) == 32
    assert ADDRESS.encode() not in row.key_hash


def test_a_key_of_any_letters_can_be_counted():
    assert isinstance(take(key="\ud800\0" * 5000), Taken)


def test_seconds_to_wait_are_whole_and_at_least_one(now):
    assert Refusal(now, 1).retry_after(now) == 1
    assert Refusal(now + timedelta(milliseconds=1500), 1).retry_after(now) == 2


@pytest.mark.security("18.7")
def test_rows_that_mean_nothing_are_removed_in_small_batches(now):
    for number in range(7):
        take(key=str(number))
    take(key="fresh", now=now + timedelta(minutes=30))

    removed = [limits.clean(db, now=now + timedelta(hours=1), batch=3) for _ in range(4)]

    assert removed == [3, 3, 1, 0]
    with db.reading() as session:
        assert len(session.scalars(select(Limit)).all()) == 1


def test_a_limit_that_is_reached_holds_without_any_clean_up(now):
    """Removing rows is housekeeping: nothing depends on when it is done."""
    for _ in range(5):
        take()

    limits.clean(db, now=now + timedelta(minutes=59))

    assert isinstance(take(now=now + timedelta(minutes=59)), Refusal)


def take_from_another_process(_number: int) -> bool:
    return isinstance(take(), Taken)


def fail_from_another_process(_number: int) -> bool:
    return isinstance(take(DELAYS), Taken)


@pytest.mark.security("2.1", "15.2")
def test_fifty_parallel_tries_from_two_processes_never_pass_a_window():
    answers = race(take_from_another_process, times=50)

    assert len(answers) == 50
    assert sum(answers) == 5


@pytest.mark.security("2.1", "15.2")
def test_fifty_parallel_failures_from_two_processes_never_pass_the_delay():
    answers = race(fail_from_another_process, times=50)

    assert len(answers) == 50
    assert sum(answers) == 3


@pytest.mark.security("2.2")
@pytest.mark.parametrize("policy", [HOURLY, DELAYS])
def test_who_looked_at_the_clock_a_little_earlier_is_not_refused_for_it(policy):
    """Of requests at the same time, the first to be counted need not be the earliest."""
    take(policy)

    answer = take(policy, now=NOON - timedelta(milliseconds=50))

    assert isinstance(answer, Taken)


@pytest.mark.security("2.1")
def test_reopening_forgets_only_what_was_closed_for_good(now):
    policy = Delays("sign-in", free=3, ceiling=4)
    later = fail(3, now, policy)
    with db.transaction() as session:
        limits.reopen(session, key=ADDRESS, policy=policy)
    assert isinstance(take(policy, now=later), Refusal)

    later = fail(1, later, policy)
    assert take(policy, now=later).for_good
    with db.transaction() as session:
        limits.reopen(session, key=ADDRESS, policy=policy)

    assert take(policy, now=later) == Taken(1, was_last=False)


def test_a_try_is_counted_the_same_in_a_session_and_without_one():
    with db.transaction() as session:
        first = limits.take_in(session, key=ADDRESS, policy=HOURLY, now=NOON)
    with db.hot_transaction() as transaction:
        second = limits.take_in(transaction, key=ADDRESS, policy=HOURLY, now=NOON)

    assert (first, second) == (Taken(1, was_last=False), Taken(2, was_last=False))


def test_a_success_without_a_session_forgets_the_tries():
    fail(3, NOON)

    with db.hot_transaction() as transaction:
        limits.clear(transaction, key=ADDRESS, policy=DELAYS)

    assert take(DELAYS) == Taken(1, was_last=False)
