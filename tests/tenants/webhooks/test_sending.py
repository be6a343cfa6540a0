"""Deliveries are signed, tried again, written down; an endpoint that takes nothing is switched off."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook

from kernel.outgoing import OutgoingFailed, OutgoingNowhere, OutgoingRefused
from tenants.database import db
from tenants.outbox import OutboxMessage
from tenants.webhooks import service as webhooks
from tests.tenants.acting import facts, trail
from tests.tenants.webhooks.making import URL

pytestmark = pytest.mark.product("TEN-16")


def test_a_delivery_is_believed_by_the_specifications_own_library(account, receiver, now):
    fact = account.happened(now)

    account.work(now)

    [(url, body, headers)] = receiver.sent
    assert url == URL
    assert headers["Content-Type"] == "application/json"
    assert headers["webhook-id"] == str(fact)
    with time_machine.travel(now, tick=False):
        said = Webhook(account.secret).verify(body, dict(headers))
    assert said["type"] == "role.changed"
    [one] = account.deliveries()
    assert (one.state, one.attempts, one.last_status, one.delivered_at) == (
        "delivered",
        1,
        204,
        now,
    )


@pytest.mark.security("18.3")
def test_what_is_not_taken_comes_again_with_the_same_id_and_words(account, receiver, now):
    account.happened(now)
    receiver.status = 500
    account.work(now)
    assert account.now_endpoint().failing_since == now

    receiver.status = 200
    account.work(now + timedelta(seconds=2))

    (_, first, before), (_, second, after) = receiver.sent
    assert first == second
    assert before["webhook-id"] == after["webhook-id"]
    assert before["webhook-timestamp"] != after["webhook-timestamp"]
    [one] = account.deliveries()
    assert (one.state, one.attempts) == ("delivered", 2)
    assert account.now_endpoint().failing_since is None


def test_an_endpoint_that_is_away_is_tried_again(account, receiver, now):
    account.happened(now)
    receiver.failure = OutgoingFailed("nobody took the connection")

    account.work(now)

    [one] = account.deliveries()
    assert (one.state, one.last_error) == ("waiting", "no_answer")


@pytest.mark.security("16.1")
@pytest.mark.parametrize(
    "failure",
    [
        OutgoingRefused("not a public address"),
        OutgoingNowhere("the name was not found"),
        OutgoingNowhere("the name was not found in time"),
    ],
)
def test_an_address_inside_is_never_asked_and_looks_like_a_name_that_nobody_knows(
    account, receiver, now, caplog, failure
):
    account.happened(now)
    receiver.failure = failure

    account.work(now)

    [one] = account.deliveries()
    assert (one.state, one.attempts, one.last_error) == ("waiting", 1, "no_public_address")
    assert failure.detail in caplog.text
    assert failure.detail not in str(account.deliveries()) + str(account.now_endpoint())


@pytest.mark.security("16.1")
def test_what_an_endpoint_answers_is_kept_nowhere(account, receiver, now):
    account.happened(now)
    receiver.status = 500

    account.work(now)

    assert account.deliveries()[0].last_error == "status_500"
    assert "nobody keeps" not in str(account.deliveries()) + str(account.now_endpoint())


def test_an_endpoint_that_says_that_it_is_gone_is_switched_off(account, receiver, now):
    account.happened(now)
    receiver.status = 410

    account.work(now)

    assert account.now_endpoint().disabled_for == "gone"
    assert account.deliveries()[0].state == "failed"


def test_an_endpoint_that_fails_for_days_is_switched_off(account, receiver, now):
    receiver.status = 500
    account.happened(now)
    account.work(now)
    later = now + timedelta(days=5)
    account.happened(later)

    account.work(later)

    assert account.now_endpoint().disabled_for == "failing"
    off = [fact for fact in facts() if fact[0] == "webhook.disabled"]
    assert off == [("webhook.disabled", account.id, None)]
    assert trail(account.id)[-1] == "webhook:disabled"


@pytest.mark.security("15.2")
def test_of_two_that_fail_at_once_one_switches_it_off(account, receiver, now):
    receiver.status = 500
    account.happened(now)
    account.work(now)
    later = now + timedelta(days=5)
    account.happened(later)
    asked = receiver.post

    def while_another_fails(url, **sent):
        receiver.post = asked
        account.work(later)
        return asked(url, **sent)

    receiver.post = while_another_fails
    account.happened(later)
    account.work(later)

    assert trail(account.id).count("webhook:disabled") == 1


def test_an_endpoint_that_is_removed_while_it_is_asked_leaves_nothing_behind(
    account, receiver, now
):
    asked = receiver.post

    def while_it_is_removed(url, **sent):
        with db.transaction(tenant=account.id) as session:
            endpoint = account.endpoint.id
            webhooks.remove(session, account.id, endpoint, version=None, actor="person:7", now=now)
        return asked(url, **sent)

    receiver.post = while_it_is_removed
    account.happened(now)

    account.work(now)

    assert account.now_endpoint() is None
    with db.reading() as session:
        assert (
            session.scalar(select(OutboxMessage.last_error).where(OutboxMessage.kind == "webhook"))
            is None
        )
