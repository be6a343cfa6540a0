"""Places that wait for a yes, and nothing else, are taken and declined here."""

import pytest

from idp.account import waiting
from idp.account.waiting import WaitingPlace
from kernel.errors import NotFound
from tenants.database import db
from tenants.members import service as members
from tests.tenants import making
from tests.tenants.acting import BOSS, an_office, holdings, membership, trail

pytestmark = pytest.mark.product("TEN-6", "TEN-7")


@pytest.fixture
def office(identity_app):
    return an_office()


@pytest.fixture
def added(office, me, now):
    with db.transaction(tenant=office.id) as session:
        wanted = [members.Wanted(office.watching)]
        return members.add(
            session, office.id, email=me.email, assignments=wanted, actor=BOSS, now=now
        ).membership_id


def test_who_is_added_sees_the_account_until_they_answer(office, me, added, now):
    assert waiting.waiting(me) == [WaitingPlace(office.id, "Zielony Dom")]

    waiting.accept(me, office.id, now=now)

    assert waiting.waiting(me) == []
    row = membership(office.id, added)
    assert (row.state, row.accepted_at) == ("active", now)
    assert holdings(office.id, added) == {(office.watching, None, None)}
    assert trail(office.id)[-1] == "member:accepted"


def test_who_declines_is_no_member(office, me, added, now):
    waiting.decline(me, office.id, now=now)

    assert membership(office.id, added) is None
    assert trail(office.id)[-1] == "member:left"


@pytest.mark.parametrize("answer", [waiting.accept, waiting.decline])
def test_where_nothing_waits_nothing_is_answered(office, me, added, now, answer):
    at_work = making.an_account("Praca")
    kept = making.a_member(at_work.id, me.person_id)
    strange = making.an_account("Obce")
    for account in (at_work.id, strange.id, "nothing", ""):
        with pytest.raises(NotFound):
            answer(me, account, now=now)

    assert membership(at_work.id, kept).state == "active"
    assert membership(office.id, added).state == "pending"


def test_a_suspended_account_and_a_blocked_place_wait_for_nobody(office, me, added, now):
    making.change_account(office.id, status="suspended")
    assert waiting.waiting(me) == []
    making.change_account(office.id, status="active")
    making.change_member(office.id, added, state="blocked")
    assert waiting.waiting(me) == []
