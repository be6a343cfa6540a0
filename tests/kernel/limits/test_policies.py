from datetime import timedelta

import pytest

from kernel.limits import Delays, Window


@pytest.mark.security("2.2")
def test_delays_grow_and_end_at_a_quarter_of_an_hour():
    delays = Delays("sign-in", free=3)

    seconds = [int(delays.delay_after(count).total_seconds()) for count in range(1, 11)]

    assert seconds == [0, 0, 30, 60, 120, 240, 480, 900, 900, 900]


def test_the_delay_of_very_many_failures_is_still_the_longest():
    assert Delays("sign-in").delay_after(10**9) == timedelta(minutes=15)


def test_the_steps_say_the_same_as_the_delays():
    delays = Delays("sign-in", free=2, first=timedelta(seconds=7), longest=timedelta(minutes=1))

    for count in range(1, 20):
        fitting = [delay for at_least, delay in delays.steps() if count >= at_least]
        assert (fitting[-1] if fitting else timedelta(0)) == delays.delay_after(count)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_window_lets_at_least_one_through(limit):
    with pytest.raises(ValueError, match="switch"):
        Window("mail", limit, timedelta(hours=1))


@pytest.mark.parametrize(("free", "ceiling"), [(0, 100), (100, 100), (101, 100)])
def test_free_tries_are_some_and_fewer_than_the_ceiling(free, ceiling):
    with pytest.raises(ValueError, match="free tries"):
        Delays("sign-in", free=free, ceiling=ceiling)
