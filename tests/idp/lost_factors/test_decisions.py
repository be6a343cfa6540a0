from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete

from idp.credentials import lost_factors, totp
from idp.credentials.lost_factors import State
from idp.events import IdpEvent
from idp.lost_factors import decisions
from idp.lost_factors.decisions import AlreadyDecided, Case, Incomplete
from kernel.errors import NotFound
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people.models import Person
from tests.idp.lost_factors.requests import ANNA, a_request, anna_with_an_app
from tests.idp.race import all_at_once
from tests.idp.visitor import a_person
from tests.statements import asked_of

pytestmark = pytest.mark.usefixtures("identity_app")


def approve(request_id, now, proof="Identity card ABC", by="Jan Nowak"):
    return decisions.approve(request_id, proof=proof, by=by, now=now)


def refuse(request_id, now, reason="Nobody picked up.", by="Jan Nowak"):
    return decisions.refuse(request_id, reason=reason, by=by, now=now)


def newest_row(person_id):
    with db.reading() as session:
        return ledger.history(session, chain=person_chain(person_id))[0]


@pytest.mark.security("18.6")
def test_however_many_ask_the_list_takes_as_many_statements(now):
    asked = []
    for number in range(3):
        a_request(a_person(f"p{number}@example.com"), now)
        with asked_of(db.engine) as listing:
            assert len(decisions.cases(now=now)) == number + 1
        asked.append(len(listing.statements))

    assert asked == [4, 4, 4]


@pytest.mark.security("3.6")
def test_approving_starts_the_waiting_time_and_removes_nothing(now, mailroom):
    person_id = anna_with_an_app(now)
    request_id, _ = a_request(person_id, now)

    case = approve(request_id, now)

    assert case.request.state(now) is State.WAITING
    assert case.request.ready_at == now + timedelta(hours=72)
    assert case.request.expires_at == now + timedelta(hours=72, days=14)
    assert (case.request.proof, case.request.decided_by) == ("Identity card ABC", "Jan Nowak")
    with db.reading() as session:
        assert totp.is_enrolled(session, person_id=person_id)
    assert mailroom.to(ANNA).subject == "Your factors may be removed soon"


@pytest.mark.security("3.6")
@pytest.mark.security("17.1")
def test_who_approved_and_what_they_saw_is_on_record(now):
    person_id = anna_with_an_app(now)
    request_id, _ = a_request(person_id, now)

    approve(request_id, now)

    row = newest_row(person_id)
    assert (row.event, row.actor) == (IdpEvent.LOST_FACTORS_APPROVED, "operator")
    assert row.personal == {"by": "Jan Nowak", "proof": "Identity card ABC"}


@pytest.mark.security("3.6")
@pytest.mark.parametrize(
    ("proof", "by"), [("", "Jan"), ("  ", "Jan"), ("card", " "), ("x" * 1001, "Jan")]
)
def test_without_a_proof_and_a_name_nothing_is_approved(now, proof, by):
    request_id, _ = a_request(anna_with_an_app(now), now)

    with pytest.raises(Incomplete):
        approve(request_id, now, proof, by)

    assert decisions.case(request_id).request.state(now) is State.ASKED


@pytest.mark.security("3.6")
def test_nobody_decides_about_their_own_factors(now):
    request_id, _ = a_request(anna_with_an_app(now), now)

    with pytest.raises(Incomplete):
        approve(request_id, now, by="Anna@Example.com")

    assert decisions.case(request_id).request.state(now) is State.ASKED


@pytest.mark.product("ID-6")
def test_a_refusal_is_mailed_with_its_reason(now, mailroom):
    person_id = anna_with_an_app(now)
    request_id, _ = a_request(person_id, now)

    case = refuse(request_id, now)

    assert case.request.state(now) is State.REFUSED
    assert "Nobody picked up." in mailroom.to(ANNA).text
    assert newest_row(person_id).event == IdpEvent.LOST_FACTORS_REFUSED


@pytest.mark.security("3.6")
def test_what_was_approved_can_still_be_refused_while_it_waits(now):
    request_id, _ = a_request(anna_with_an_app(now), now)
    approve(request_id, now)

    assert refuse(request_id, now + timedelta(hours=1)).request.state(now) is State.REFUSED


@pytest.mark.parametrize("first", [approve, refuse])
def test_nothing_is_approved_twice_or_after_a_refusal(now, first):
    request_id, _ = a_request(anna_with_an_app(now), now)
    first(request_id, now)

    with pytest.raises(AlreadyDecided):
        approve(request_id, now)


@pytest.mark.security("3.1")
def test_what_lapsed_is_not_decided_any_more(now):
    request_id, _ = a_request(anna_with_an_app(now), now, days=14)
    later = now + timedelta(days=14)

    with pytest.raises(AlreadyDecided):
        approve(request_id, later)
    with pytest.raises(AlreadyDecided):
        refuse(request_id, later)


@pytest.mark.security("15.2")
def test_of_fifty_decisions_at_once_one_counts(identity_app, now, mailroom):
    request_id, _ = a_request(anna_with_an_app(now), now)

    answers = all_at_once(identity_app, 50, lambda: approve(request_id, now))

    assert sum(isinstance(answer, Case) for answer in answers) == 1
    assert sum(isinstance(answer, AlreadyDecided) for answer in answers) == 49
    assert len(mailroom.deliver()) == 1


def test_a_request_that_does_not_exist_is_not_found(now):
    for act in (approve, refuse):
        with pytest.raises(NotFound):
            act(uuid4(), now)


def test_the_list_has_what_is_open_and_on_demand_everything(now):
    request_id, _ = a_request(anna_with_an_app(now), now)
    assert [case.request.id for case in decisions.cases(now=now)] == [request_id]

    refuse(request_id, now)

    assert decisions.cases(now=now) == []
    assert len(decisions.cases(now=now, also_ended=True)) == 1


def test_a_person_who_is_gone_took_the_request_along(now):
    request_id, _ = a_request(anna_with_an_app(now), now)
    with db.transaction() as session:
        found = lost_factors.find(session, request_id)
        session.execute(delete(Person).where(Person.id.in_([found.person_id])))

    with pytest.raises(NotFound):
        decisions.case(request_id)
