from datetime import timedelta

import pytest

from kernel.api import Quota, quotas
from kernel.limits import Window
from tests.kernel.tables import db, limits

pytestmark = [pytest.mark.usefixtures("kernel_app"), pytest.mark.security("13.5")]

OWN = Quota("caller:1", Window("caller", limit=2, every=timedelta(minutes=1)))
SHARED = Quota("account:1", Window("account", limit=3, every=timedelta(minutes=5)))


def take(now, *wanted):
    return quotas.take(db, limits, wanted or (OWN, SHARED), now=now)


def test_what_is_left_counts_down_and_says_when_it_begins_anew(now):
    take(now)
    left, refusal = take(now + timedelta(seconds=20))

    assert refusal is None
    assert quotas.headers(left) == [
        ("RateLimit-Policy", '"caller";q=2;w=60, "account";q=3;w=300'),
        ("RateLimit", '"caller";r=0;t=40, "account";r=1;t=280'),
    ]


def test_who_asked_too_often_does_not_use_up_what_is_shared(now):
    take(now)
    take(now)

    left, refusal = take(now)

    assert (refusal.retry_after, refusal.reason) == (60, "too_many_requests")
    assert quotas.headers(left)[1] == ("RateLimit", '"caller";r=0;t=60')
    assert take(now, SHARED)[0][0].remaining == 0


def test_what_is_shared_is_shared(now):
    for number in range(3):
        take(now, Quota(f"caller:{number}", OWN.window), SHARED)

    _, refusal = take(now, Quota("caller:9", OWN.window), SHARED)

    assert refusal.retry_after == 300


def test_where_nothing_is_counted_nothing_is_said():
    assert quotas.headers(()) == []
