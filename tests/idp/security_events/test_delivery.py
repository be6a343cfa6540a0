"""Events are pushed as RFC 8935 says, again until they are taken; heartbeats say when all is well."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from idp import facts as hearing
from idp.clients import service as clients
from idp.security_events import delivery
from idp.security_events import service as security_events
from idp.worker import create_worker
from kernel import clock
from kernel.outbox import Message
from tenants.database import db
from tenants.facts.service import Kind, note
from tenants.outbox import OutboxMessage
from tests.idp.provider import ISSUER, a_code, a_person, an_app
from tests.idp.security_events.receiver import Receiver

EVENTS = "https://app.example/security-events"


@pytest.fixture
def receiver(monkeypatch):
    receiver = Receiver()
    monkeypatch.setattr(delivery, "_outgoing", lambda: receiver)
    return receiver


@pytest.fixture
def worker(identity_app):
    return create_worker(identity_app)


@pytest.fixture
def app(identity_app):
    return an_app(security_events_uri=EVENTS)


@pytest.fixture
def noon(monkeypatch, now):
    """The worker's clock stands still."""
    monkeypatch.setattr(clock, "now", lambda: now)
    return now


def block_somebody(app, now):
    anna = a_person()
    a_code(app, now=now, person_id=anna)
    with db.transaction() as session:
        fact = note(session, Kind.PERSON_BLOCKED, account=None, person_id=anna, now=now)
    hearing.hear(now)
    return anna, fact


def deliveries(app):
    with db.reading() as session:
        return security_events.deliveries(session, app.id)


def feed(app, now):
    with db.reading() as session:
        return security_events.feed(session, app.id, now=now)


@pytest.mark.product("OP-5")
@pytest.mark.security("8.4")
def test_an_event_is_pushed_signed_to_the_address_of_the_application(app, receiver, worker, noon):
    anna, fact = block_somebody(app, noon)

    worker.run_once(noon)

    [(url, _)] = [each for each in receiver.pushed if "account-disabled" in str(receiver.claims[0])]
    assert url == EVENTS
    assert receiver.headers["Content-Type"] == "application/secevent+jwt"
    assert receiver.header["typ"] == "secevent+jwt"
    said = receiver.claims[0]
    assert (said["iss"], said["aud"], said["jti"]) == (ISSUER, app.id, str(fact))
    assert said["sub_id"]["sub"] == str(anna)


@pytest.mark.product("OP-5")
def test_what_became_of_it_can_be_seen(app, receiver, worker, noon):
    block_somebody(app, noon)

    worker.run_once(noon)

    [one] = deliveries(app)
    assert (one.attempts, one.accepted_at, one.refused_at) == (1, noon, None)
    now = feed(app, noon)
    assert (now.accepted_at, now.failing_since, now.waiting) == (noon, None, 0)


@pytest.mark.security("18.3")
@pytest.mark.parametrize("status", [500, 503, 404, 302])
def test_what_is_not_taken_is_pushed_again_as_the_same_event(app, receiver, worker, noon, status):
    _, fact = block_somebody(app, noon)
    receiver.status = status
    worker.run_once(noon)
    assert feed(app, noon).failing_since == noon
    assert feed(app, noon).waiting == 1

    receiver.status = 202
    worker.run_once(noon + timedelta(seconds=2))

    assert [said["jti"] for said in receiver.claims if "toe" in said] == [str(fact)] * 2
    [one] = deliveries(app)
    assert (one.attempts, one.accepted_at) == (2, noon)
    assert feed(app, noon).failing_since is None


def test_an_application_that_is_away_is_told_later(app, receiver, worker, noon):
    block_somebody(app, noon)
    receiver.is_away = True
    worker.run_once(noon)

    assert deliveries(app)[0].last_error == "nobody took the connection"


def test_what_the_application_refuses_is_not_pushed_again(app, receiver, worker, noon):
    block_somebody(app, noon)
    receiver.status, receiver.body = 400, b'{"err":"invalid_audience","description":"<b>"}'

    worker.run_once(noon)

    [one] = deliveries(app)
    assert (one.refused_at, one.last_error) == (noon, "refused: invalid_audience")
    assert feed(app, noon).waiting == 0


def test_an_event_is_given_up_after_hours_and_is_missing_no_more(app, receiver, worker, noon):
    block_somebody(app, noon)
    receiver.status = 500

    for hour in range(20):
        worker.run_once(noon + timedelta(hours=hour))

    [one] = deliveries(app)
    assert (one.attempts, one.refused_at) == (20, noon)
    assert feed(app, noon).waiting == 0


def test_an_application_that_hears_no_events_any_more_misses_none(app, receiver, worker, noon):
    block_somebody(app, noon)
    with db.transaction() as session:
        clients.update_metadata(session, app.id, now=noon, security_events_uri=None)

    worker.run_once(noon)

    assert receiver.pushed == []
    assert deliveries(app)[0].refused_at == noon


def test_an_application_that_lacks_the_key_is_asked_again(app, receiver, worker, noon):
    block_somebody(app, noon)
    receiver.status, receiver.body = 400, b'{"err":"invalid_key"}'

    worker.run_once(noon)

    assert deliveries(app)[0].refused_at is None


@pytest.mark.security("16.1")
def test_what_a_receiver_answers_is_kept_nowhere(app, receiver, worker, noon):
    block_somebody(app, noon)
    receiver.status, receiver.body = 400, b'{"err":"<script>","description":"secret"}'

    worker.run_once(noon)

    assert deliveries(app)[0].last_error == "refused: no reason"


class TestHeartbeats:
    @pytest.mark.product("OP-5")
    def test_they_come_in_their_time_and_once(self, app, receiver, worker, noon):
        for seconds in (0, 1, 14, 15, 16):
            delivery.beat(noon + timedelta(seconds=seconds))
            worker.run_once(noon + timedelta(seconds=seconds))

        beats = [said for said in receiver.claims if "toe" not in said]
        assert len(beats) == 2
        assert beats[0]["jti"] != beats[1]["jti"]

    def test_they_go_only_to_who_hears_events(self, identity_app, receiver, worker, noon):
        an_app()

        assert delivery.beat(noon) == 0

    @pytest.mark.product("OP-5")
    def test_one_says_that_something_is_missing_until_it_was_taken(
        self, app, receiver, worker, noon, monkeypatch
    ):
        block_somebody(app, noon)
        receiver.status = 500
        worker.run_once(noon)
        receiver.pushed.clear()
        receiver.status = 202

        later = noon + timedelta(seconds=15)
        with db.transaction() as session:
            # The event itself waits for much longer.
            _put_off(session, noon + timedelta(hours=1))
        delivery.beat(later)
        monkeypatch.setattr(clock, "now", lambda: later)
        worker.run_once(later)

        first, *others = receiver.claims
        assert list(first["events"].values()) == [{"waiting": 1}]
        # The application is well again, so the event did not wait any longer.
        assert any("account-disabled" in str(said) for said in others)
        assert feed(app, later).waiting == 0

    @pytest.mark.product("OP-5")
    def test_one_says_so_too_when_facts_wait(self, app, receiver, worker, noon):
        with db.transaction() as session:
            note(
                session,
                Kind.PERSON_BLOCKED,
                account=None,
                person_id=a_person(),
                now=noon - timedelta(minutes=1),
            )
        delivery.beat(noon)

        with db.reading() as session:
            message = _the_heartbeat(session)
        delivery.deliver_heartbeat(message)

        assert list(receiver.claims[0]["events"].values()) == [{"waiting": 1}]

    def test_who_takes_nothing_is_asked_less_often(self, app, receiver, worker, noon):
        receiver.status = 500
        sent = [
            second
            for second in range(0, 600, 5)
            if delivery.beat(noon + timedelta(seconds=second))
            and worker.run_once(noon + timedelta(seconds=second))
        ]

        assert sent[1] == 15
        assert {later - earlier for earlier, later in zip(sent[-5:], sent[-4:], strict=False)} == {
            60
        }

    def test_old_ones_are_forgotten(self, app, receiver, worker, noon):
        for minute in range(4):
            moment = noon + timedelta(minutes=minute)
            delivery.beat(moment)
            worker.run_once(moment)

        assert _heartbeats() <= 2


def _put_off(session, until):
    session.execute(
        update(OutboxMessage).where(OutboxMessage.state == "waiting").values(due_at=until)
    )


def _the_heartbeat(session):
    row = session.execute(
        select(OutboxMessage).where(OutboxMessage.kind == delivery.HEARTBEAT)
    ).scalar_one()
    payload = {"client_id": row.destination.removeprefix("events:")}
    return Message(row.id, row.kind, payload, row.created_at, row.expires_at)


def _heartbeats():
    with db.reading() as session:
        return session.scalar(select(func.count()).where(OutboxMessage.kind == delivery.HEARTBEAT))
