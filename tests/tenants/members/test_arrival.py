from datetime import timedelta

import pytest

from kernel.pages import PageRequest
from tenants.database import db
from tenants.facts import service as facts_service
from tenants.facts.service import Kind
from tenants.members import arrival, listing, service
from tenants.members.service import MemberKind, State
from tests.tenants import making
from tests.tenants.acting import BOSS, an_office, facts, membership, trail

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-6")]

EMAIL = "anna@example.com"


def add(office, now, **more):
    with db.transaction(tenant=office.id) as session:
        return service.add(session, office.id, email=EMAIL, actor=BOSS, now=now, **more)


def come(person, now):
    """The person set a first password: what is noted then, and what comes of it."""
    with db.transaction() as session:
        facts_service.note(session, Kind.PERSON_CAME, account=None, person_id=person, now=now)
    facts_service.handle_waiting(
        lambda session, waiting: arrival.hear(session, waiting, now=now), now=now
    )


def shown(office, now):
    with db.reading(tenant=office.id) as session:
        page = listing.listed(session, office.id, actor=BOSS, asked=PageRequest(), now=now)
    return [(one.state, one.person_id) for one in page.items]


def test_a_new_id_is_pending_to_see_until_its_owner_has_a_way_in(now):
    office = an_office()
    person = add(office, now).person_id
    before = shown(office, now)

    come(person, now)

    assert before == [(State.PENDING, None)]
    assert shown(office, now) == [(State.ACTIVE, person)]
    assert trail(office.id) == ["member:added", "member:accepted"]
    assert ("member.accepted", office.id, person) in facts()


def test_it_is_seen_in_every_account(now):
    offices = [an_office(), an_office("Inny")]
    person = add(offices[0], now).person_id
    making.a_member(offices[1].id, person, accepted_at=None)

    come(person, now)

    assert [shown(office, now) for office in offices] == [[(State.ACTIVE, person)]] * 2


def test_where_a_yes_is_waited_for_it_still_is(now):
    office = an_office()
    person = making.a_person(EMAIL)
    add(office, now)

    come(person, now)

    assert shown(office, now) == [(State.PENDING, None)]


def test_who_was_blocked_before_they_came_stays_blocked(now):
    office = an_office()
    added = add(office, now)
    making.change_member(office.id, added.membership_id, state="blocked")

    come(added.person_id, now)

    assert membership(office.id, added.membership_id).accepted_at is None


def test_of_clients_it_is_noted_too_and_nobody_needs_to_hear_of_it(now):
    office = an_office()
    added = add(office, now, kind=MemberKind.CLIENT)

    with db.transaction(everywhere=True) as session:
        places = arrival.arrive(session, added.person_id, now=now)

    assert places == 1
    assert membership(office.id, added.membership_id).accepted_at == now
    assert trail(office.id) == ["client-account:added"]


def clients(office, now):
    with db.reading(tenant=office.id) as session:
        page = listing.listed(
            session,
            office.id,
            kind=MemberKind.CLIENT,
            actor=BOSS,
            asked=PageRequest(),
            now=now,
        )
    return [(one.state, one.person_id) for one in page.items]


@pytest.mark.product("TEN-15")
@pytest.mark.security("2.4")
def test_a_client_with_an_id_and_one_without_are_shown_alike_once_each_has_signed_in(now):
    """Whether there was an ID before is told neither at once nor in the course of time."""
    offices = [an_office(), an_office("Inny")]
    person = making.a_person(EMAIL)
    before = now - timedelta(minutes=1)
    for office in offices:
        assert add(office, now, kind=MemberKind.CLIENT).person_id == person

    too_early = arrival.see({person: before}, now=now)
    waiting = [clients(office, now) for office in offices]
    came = arrival.see({person: now + timedelta(minutes=1), making.a_person(): now}, now=now)
    again = arrival.see({person: now + timedelta(minutes=2)}, now=now)

    assert (too_early, came, again) == (0, 2, 0)
    assert waiting == [[(State.ACTIVE, None)]] * 2
    assert [clients(office, now) for office in offices] == [[(State.ACTIVE, person)]] * 2
    assert trail(offices[0].id) == ["client-account:added"]


def test_signing_in_is_seen_where_it_came_after_and_nowhere_else(now):
    early, late = an_office(), an_office("Inny")
    person = making.a_person(EMAIL)
    added = add(early, now, kind=MemberKind.CLIENT)
    add(late, now + timedelta(hours=2), kind=MemberKind.CLIENT)

    assert arrival.see({person: now + timedelta(hours=1)}, now=now) == 1
    assert membership(early.id, added.membership_id).accepted_at == now
    assert clients(late, now) == [(State.ACTIVE, None)]


def test_signing_in_is_no_yes_and_takes_no_block_away(now):
    asking, blocking = an_office(), an_office("Inny")
    person = making.a_person(EMAIL)
    asked = add(asking, now)
    blocked = add(blocking, now, kind=MemberKind.CLIENT)
    making.change_member(blocking.id, blocked.membership_id, state="blocked")

    assert arrival.see({person: now + timedelta(hours=1)}, now=now) == 0
    assert membership(asking.id, asked.membership_id).accepted_at is None
    assert membership(blocking.id, blocked.membership_id).accepted_at is None


def test_coming_again_is_no_news(now):
    office = an_office()
    person = add(office, now).person_id
    come(person, now)

    come(person, now)

    assert trail(office.id) == ["member:added", "member:accepted"]
