from datetime import UTC, datetime, timedelta

import pytest

from idp.credentials import lost_factors
from idp.credentials.lost_factors import Outcome, Request, State
from kernel.ids import new_id
from tenants.database import db
from tests.idp.lost_factors.requests import a_request
from tests.idp.race import all_at_once
from tests.idp.visitor import a_person

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_row(**facts):
    return Request(
        **{
            "id": new_id(),
            "person_id": new_id(),
            "contact": "me",
            "note": None,
            "address": None,
            "user_agent": "",
            "asked_at": NOON - HOUR,
            "expires_at": NOON + HOUR,
            "approved_at": None,
            "ready_at": None,
            "decided_by": None,
            "proof": None,
            "reason": None,
            "ended_at": None,
            "outcome": None,
            **facts,
        }
    )


@pytest.mark.product("ID-6")
@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, State.ASKED),
        ({"expires_at": NOON}, State.LAPSED),
        ({"ready_at": NOON + HOUR}, State.WAITING),
        ({"ready_at": NOON}, State.READY),
        ({"ready_at": NOON - HOUR, "expires_at": NOON}, State.LAPSED),
        ({"ready_at": NOON, "outcome": Outcome.STOPPED}, State.STOPPED),
        ({"outcome": Outcome.REFUSED}, State.REFUSED),
        ({"outcome": Outcome.USED}, State.USED),
    ],
)
def test_the_state_follows_from_the_clock_whatever_was_written_down(facts, state):
    assert a_row(**facts).state(NOON) is state


@pytest.mark.parametrize(
    ("facts", "is_news"),
    [
        ({}, True),
        ({"outcome": Outcome.REFUSED, "ended_at": NOON - timedelta(days=13)}, True),
        ({"outcome": Outcome.REFUSED, "ended_at": NOON - timedelta(days=14)}, False),
        ({"expires_at": NOON - timedelta(days=1)}, True),
        ({"outcome": Outcome.FOUND, "ended_at": NOON}, False),
        ({"outcome": Outcome.USED, "ended_at": NOON}, False),
    ],
)
def test_an_end_is_told_for_a_fortnight_unless_the_person_was_there(facts, is_news):
    assert a_row(**facts).is_news(NOON) is is_news


@pytest.mark.security("15.2")
def test_the_database_keeps_one_open_request_a_person(identity_app, now):
    person_id = a_person()

    answers = all_at_once(identity_app, 50, lambda: a_request(person_id, now))

    assert sum(isinstance(answer, tuple) for answer in answers) == 1
    with db.reading() as session:
        listed = lost_factors.listed(session, now=now, also_ended=True, limit=99)
    assert len(listed) == 1


@pytest.mark.security("3.1")
def test_tokens_are_kept_as_hashes_and_a_newer_one_takes_the_place(identity_app, now):
    request_id, first = a_request(a_person(), now)
    with db.transaction() as session:
        second = lost_factors.approve(
            session,
            request_id,
            by="Jan",
            proof="card",
            ready_at=now,
            expires_at=now + HOUR,
            now=now,
        )

        assert second is not None
        assert len(second) >= 43
        assert lost_factors.stop(session, first, now=now) is None
        assert lost_factors.stop(session, second, now=now + HOUR) is None
        assert lost_factors.stop(session, second, now=now) is not None


@pytest.mark.security("15.2")
@pytest.mark.parametrize("waits", [timedelta(0), HOUR])
def test_a_request_is_used_once_and_not_before_its_time(identity_app, now, waits):
    person_id = a_person()
    request_id, _ = a_request(person_id, now)
    with db.transaction() as session:
        lost_factors.approve(
            session,
            request_id,
            by="Jan",
            proof="card",
            ready_at=now + waits,
            expires_at=now + 2 * HOUR,
            now=now,
        )

    def use():
        with db.transaction() as session:
            return lost_factors.use(session, person_id=person_id, now=now)

    answers = all_at_once(identity_app, 50, use)

    assert answers.count(request_id) == (0 if waits else 1)
    assert answers.count(None) == (50 if waits else 49)
