"""The feed is alive while heartbeats come that say that nothing is missing."""

from datetime import timedelta

import pytest

from portal.database import db
from portal.sessions.models import EventFeed
from relying_party.security_events.feed import Feed

pytestmark = [pytest.mark.product("OP-5"), pytest.mark.usefixtures("portal_app")]

ISSUER = "https://id.example"


def a_feed():
    return Feed(db, EventFeed, issuer=ISSUER, silence=timedelta(seconds=60))


def hear(feed, now, *, is_whole=True):
    with db.transaction() as session:
        feed.hear(session, is_whole=is_whole, now=now)


def test_a_feed_that_was_never_heard_is_silent(now):
    assert not a_feed().is_alive(now)


def test_a_heartbeat_is_good_for_the_time_that_was_set(now):
    feed = a_feed()
    hear(feed, now)

    assert feed.is_alive(now + timedelta(seconds=59))
    assert not feed.is_alive(now + timedelta(seconds=60))


def test_what_was_heard_before_the_start_does_not_count(now):
    hear(a_feed(), now)

    restarted = a_feed()

    assert not restarted.is_alive(now + timedelta(seconds=6))
    hear(restarted, now + timedelta(seconds=7))
    assert restarted.is_alive(now + timedelta(seconds=7))


def test_a_heartbeat_that_says_that_something_is_missing_ends_the_trust(now):
    feed = a_feed()
    hear(feed, now)

    hear(feed, now + timedelta(seconds=1), is_whole=False)

    assert not feed.is_alive(now + timedelta(seconds=1))


def test_what_another_node_heard_is_known_within_a_second(now):
    here, there = a_feed(), a_feed()
    assert not here.is_alive(now)

    hear(there, now)

    assert here.is_alive(now + timedelta(seconds=1))
