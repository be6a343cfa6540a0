"""Deliveries are signed, tried again, written down, and can be sent again."""

import json
from datetime import timedelta

import pytest
import time_machine
from standardwebhooks.webhooks import Webhook

from idp import facts as hearing
from idp.worker import create_worker
from kernel import clock
from kernel.outgoing import OutgoingFailed, OutgoingRefused
from kernel.pages import PageRequest
from tenants.database import db
from tenants.facts.service import Kind, note
from tenants.webhooks import delivery
from tenants.webhooks import service as webhooks
from tests.tenants.making import an_account
from tests.tenants.webhooks.making import ACTOR, URL, Receiver, an_endpoint

pytestmark = pytest.mark.product("TEN-16")


@pytest.fixture
def receiver(monkeypatch):
    receiver = Receiver()
    monkeypatch.setattr(delivery, "_outgoing", lambda: receiver)
    return receiver


class Account:
    """An account with one endpoint, and the worker that sends."""

    def __init__(self, app, now):
        self.id = an_account().id
        self.endpoint, self.secret = an_endpoint(self.id, now)
        self._worker = create_worker(app)

    def happened(self, now):
        with db.transaction() as session:
            fact = note(session, Kind.ROLE_CHANGED, account=self.id, person_id=None, now=now)
        hearing.hear(now)
        return fact

    def work(self, now):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(clock, "now", lambda: now)
            self._worker.run_once(now)

    def deliveries(self):
        with db.reading(tenant=self.id) as session:
            asked = PageRequest()
            return webhooks.deliveries(session, self.id, self.endpoint.id, asked=asked).items

    def now_endpoint(self):
        with db.reading(tenant=self.id) as session:
            return webhooks.find(session, self.id, self.endpoint.id)

    def replay(self, now, **what):
        with db.transaction(tenant=self.id) as session:
            return webhooks.replay(session, self.id, self.endpoint.id, actor=ACTOR, now=now, **what)


@pytest.fixture
def account(identity_app, now):
    return Account(identity_app, now)


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
    assert (one.state, one.last_error) == ("waiting", "nobody took the connection")


@pytest.mark.security("16.1")
def test_an_address_inside_is_never_asked(account, receiver, now):
    account.happened(now)
    receiver.failure = OutgoingRefused("not a public address")

    account.work(now)

    [one] = account.deliveries()
    assert (one.state, one.last_error) == ("failed", "not asked: not a public address")


@pytest.mark.security("16.1")
def test_what_an_endpoint_answers_is_kept_nowhere(account, receiver, now):
    account.happened(now)
    receiver.status = 500

    account.work(now)

    assert "nobody keeps" not in json.dumps(account.deliveries()[0].last_error)


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


def test_what_failed_can_be_sent_again_with_the_same_id(account, receiver, now):
    account.happened(now)
    receiver.failure = OutgoingRefused("not a public address")
    account.work(now)
    receiver.failure = None

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
        webhooks.send_test(session, account.id, account.endpoint.id, actor=ACTOR, now=now)

    account.work(now)

    assert json.loads(receiver.sent[0][1])["type"] == "webhook.test"


def test_old_deliveries_are_forgotten(account, receiver, now):
    account.happened(now)
    account.work(now)

    assert webhooks.clean(before=now + timedelta(days=1)) == 1
    assert account.deliveries() == ()
