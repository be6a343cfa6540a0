"""Facts are written with the change, and handed over once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import current_app
from sqlalchemy import func, select, update

from tenants.database import db
from tenants.facts import service as facts
from tenants.facts.models import Fact
from tenants.facts.service import Kind, note
from tenants.outbox import OutboxMessage
from tests.tenants.making import a_person, an_account

pytestmark = pytest.mark.usefixtures("identity_app")


def write(kind, now, *, account=None, person_id=None, **details):
    with db.transaction() as session:
        return note(session, kind, account=account, person_id=person_id, now=now, **details)


def handed_over(now, **options):
    found = []
    facts.handle_waiting(lambda _session, waiting: found.extend(waiting), now=now, **options)
    return found


@pytest.mark.product("OP-5")
def test_a_fact_is_handed_over_with_what_was_noted(now):
    person_id = a_person()
    company = "0123456789abcdef"
    fact_id = write(
        Kind.MEMBER_BLOCKED, now, account="a" * 12, person_id=person_id, company=company
    )

    [fact] = handed_over(now)

    assert (fact.id, fact.kind, fact.account, fact.person_id, fact.at) == (
        fact_id,
        Kind.MEMBER_BLOCKED,
        "a" * 12,
        person_id,
        now,
    )
    assert fact.details == {"company": company}


def test_a_change_that_is_undone_leaves_no_fact(now):
    def change_and_fail():
        with db.transaction() as session:
            note(session, Kind.ROLE_CHANGED, account="a" * 12, person_id=None, now=now)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_and_fail()

    assert handed_over(now) == []


@pytest.mark.security("18.3")
def test_a_fact_whose_handling_failed_waits_for_the_next_time(now):
    write(Kind.ROLE_CHANGED, now, account="a" * 12)

    def fail(_session, _facts):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        facts.handle_waiting(fail, now=now)

    assert [fact.kind for fact in handed_over(now)] == [Kind.ROLE_CHANGED]
    assert handed_over(now) == []


def test_what_a_newer_version_noted_is_left_to_it(now):
    write(Kind.ROLE_CHANGED, now)
    write(Kind.ROLE_CHANGED, now)
    with db.transaction() as session:
        oldest = select(func.min(Fact.number)).scalar_subquery()
        session.execute(update(Fact).where(Fact.number == oldest).values(kind="moon.landed"))

    assert len(handed_over(now)) == 1

    with db.reading() as session:
        assert session.scalar(select(Fact.kind).where(Fact.handled_at.is_(None))) == "moon.landed"


def test_facts_come_in_batches_the_oldest_first(now):
    for _ in range(5):
        write(Kind.ROLE_CHANGED, now)

    numbers = [[fact.number for fact in handed_over(now, batch=2)] for _ in range(3)]

    assert [len(each) for each in numbers] == [2, 2, 1]
    together = [number for each in numbers for number in each]
    assert together == sorted(together)


def test_numbers_are_never_given_again(now):
    write(Kind.ROLE_CHANGED, now)
    [first] = handed_over(now)
    facts.clean(before=now + timedelta(days=1))

    write(Kind.ROLE_CHANGED, now)
    [second] = handed_over(now)

    assert second.number > first.number


@pytest.mark.security("15.2")
def test_of_many_workers_one_handles_each_fact(now):
    for _ in range(20):
        write(Kind.ROLE_CHANGED, now)
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def work(_):
        with app.app_context():
            return [fact.number for fact in handed_over(now, batch=3)]

    with ThreadPoolExecutor(8) as pool:
        handled = [number for each in pool.map(work, range(50)) for number in each]

    assert len(handled) == len(set(handled)) == 20


def test_the_worker_is_told_once_by_a_transaction(now):
    account = an_account()
    with db.transaction(tenant=account.id) as session:
        for _ in range(3):
            note(session, Kind.COMPANY_CHANGED, account=account.id, person_id=None, now=now)

    with db.reading() as session:
        told = session.scalar(select(func.count()).where(OutboxMessage.kind == facts.MESSAGE))
        noted = session.scalar(select(func.count(Fact.number)))
    assert (told, noted) == (1, 3)


def test_details_become_what_json_can_say(now):
    person_id = a_person()

    write(Kind.ROLE_CHANGED, now, role=person_id, until=now, names=frozenset({"b", "a"}))

    [fact] = handed_over(now)
    assert fact.details == {
        "role": str(person_id),
        "until": now.isoformat(),
        "names": ["a", "b"],
    }
