"""Facts have their effects through the worker, each once."""

import pytest
from sqlalchemy import func, select

from idp import facts as hearing
from idp.security_events.models import SecurityEvent
from idp.worker import create_worker
from kernel import clock
from tenants.database import db
from tenants.facts.models import Fact
from tenants.facts.service import Kind, note
from tests.idp.provider import a_code, a_person, an_app

pytestmark = pytest.mark.product("OP-5")

EVENTS = "https://app.example/security-events"


def block_often(count, now):
    app, anna = an_app(security_events_uri=EVENTS), a_person()
    a_code(app, now=now, person_id=anna)
    with db.transaction() as session:
        for _ in range(count):
            note(session, Kind.PERSON_BLOCKED, account=None, person_id=anna, now=now)


def told():
    with db.reading() as session:
        return session.scalar(select(func.count(SecurityEvent.id)))


def waiting():
    with db.reading() as session:
        return session.scalar(select(func.count(Fact.number)).where(Fact.handled_at.is_(None)))


@pytest.mark.security("18.3")
def test_the_message_of_a_fact_lets_the_worker_hear_it(identity_app, monkeypatch, now):
    monkeypatch.setattr(clock, "now", lambda: now)
    block_often(1, now)

    create_worker(identity_app).run_once(now)

    assert (told(), waiting()) == (1, 0)


@pytest.mark.usefixtures("identity_app")
def test_more_facts_than_one_transaction_takes_are_all_heard(now):
    block_often(201, now)

    hearing.hear(now)
    hearing.hear(now)

    assert (told(), waiting()) == (201, 0)
