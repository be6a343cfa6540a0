import pytest

from kernel import clock
from tenants.database import db
from tenants.members import service as members
from tests.idp.account.views.visits import ANNA
from tests.tenants import making
from tests.tenants.acting import BOSS, an_office, membership


@pytest.fixture
def office(identity_app):
    return an_office()


@pytest.fixture
def added(office, person_id):
    with db.transaction(tenant=office.id) as session:
        return members.add(
            session, office.id, email=ANNA, actor=BOSS, now=clock.now()
        ).membership_id


@pytest.mark.product("TEN-6", "TEN-7")
def test_who_was_added_accepts_on_a_page_of_their_own(me, office, added):
    me.get("/account/invitations")
    assert "Zielony Dom" in me.words
    assert office.id in me.words
    assert membership(office.id, added).state == "pending"

    me.submit("/account/invitations", accept=office.id)

    assert "You are a user of Zielony Dom now" in me.words
    assert "Nothing waits for you" in me.words
    assert membership(office.id, added).state == "active"


@pytest.mark.product("TEN-6", "TEN-7")
def test_or_declines(me, office, added):
    me.get("/account/invitations").submit("/account/invitations", decline=office.id)

    assert "You have declined" in me.words
    assert membership(office.id, added) is None


@pytest.mark.parametrize("answer", [{"accept": "0123456789ab"}, {"decline": "x"}])
def test_what_does_not_wait_is_said_to_be_over(me, office, added, answer):
    me.get("/account/invitations").submit("/account/invitations", **answer)

    assert "This was answered already" in me.words
    assert membership(office.id, added).state == "pending"


def test_a_post_without_an_answer_changes_nothing(me, office, added):
    me.get("/account/invitations").submit("/account/invitations")

    assert membership(office.id, added).state == "pending"


@pytest.mark.security("3.9")
def test_signing_in_and_looking_accept_nothing(me, office, added):
    me.get("/account").get("/account/invitations")

    assert membership(office.id, added).state == "pending"


@pytest.mark.security("13.5")
def test_nobody_answers_for_somebody_else(me, office):
    other = making.a_member(office.id, making.a_person("jan@example.com"), state="pending")

    me.get("/account/invitations")
    me.post("/account/invitations", accept=office.id)

    assert membership(office.id, other).state == "pending"


def test_strangers_sign_in_first(visitor):
    assert visitor.get("/account/invitations").path.startswith("/sign-in")
