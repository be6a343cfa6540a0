"""What is sent to an endpoint: a test event, and what failed or was delivered, once more."""

import json
from datetime import timedelta

import pytest

from tenants.database import db
from tenants.webhooks import deliveries
from tenants.webhooks import service as webhooks
from tests.tenants.webhooks.making import ACTOR

pytestmark = pytest.mark.product("TEN-16")


def switch(account, way, now):
    with db.transaction(tenant=account.id) as session:
        way(session, account.id, account.endpoint.id, actor=ACTOR, now=now)


def test_what_failed_can_be_sent_again_with_the_same_id(account, receiver, now):
    account.happened(now)
    switch(account, webhooks.disable, now)
    account.work(now)
    switch(account, webhooks.enable, now)

    assert account.replay(now, since=now - timedelta(hours=1)) == 1
    account.work(now)

    [one] = account.deliveries()
    assert (one.state, receiver.sent[0][2]["webhook-id"]) == ("delivered", str(one.event_id))


def test_what_was_delivered_can_be_sent_again_by_its_id(account, receiver, now):
    account.happened(now)
    account.work(now)
    [one] = account.deliveries()

    assert account.replay(now, since=now - timedelta(hours=1)) == 0
    assert account.replay(now, delivery_ids=[one.id]) == 1
    account.work(now)

    assert len(receiver.sent) == 2


def test_a_test_event_shows_whether_the_address_works(account, receiver, now):
    with db.transaction(tenant=account.id) as session:
        deliveries.send_test(session, account.id, account.endpoint.id, actor=ACTOR, now=now)

    account.work(now)

    assert json.loads(receiver.sent[0][1])["type"] == "webhook.test"


def test_old_deliveries_are_forgotten(account, receiver, now):
    account.happened(now)
    account.work(now)

    assert deliveries.clean(before=now + timedelta(days=1)) == 1
    assert account.deliveries() == ()
