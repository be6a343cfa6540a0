import pytest

from idp.events import IdpEvent
from tenants.database import db
from tenants.people import service as people
from tests.idp.account.views.visits import ANNA, events_of
from tests.idp.visitor import a_person


@pytest.mark.security("12.1")
@pytest.mark.parametrize(
    "path",
    ["", "/security", "/password", "/authenticator", "/recovery-codes", "/sessions", "/history"],
)
def test_account_pages_ask_strangers_to_sign_in_and_come_back(visitor, path):
    a_person()

    visitor.get(f"/account{path}")

    assert visitor.path.startswith("/sign-in?flow=")


def test_the_bare_address_leads_to_the_profile(me):
    assert me.get("/").path == "/account"


@pytest.mark.product("ID-1")
def test_a_profile_is_filled_in_later(me, person_id):
    me.get("/account").submit(
        "/account", given_name="Anna", family_name="Nowak", phone="+48 600 700 800", locale="pl"
    )

    assert "Profil zapisany" in me.words
    with db.reading() as session:
        person = people.find(session, person_id)
    assert (person.given_name, person.family_name) == ("Anna", "Nowak")
    assert (person.phone, person.locale, person.email) == ("+48 600 700 800", "pl", ANNA)
    assert IdpEvent.PERSON_PROFILE_CHANGED in events_of(person_id)


@pytest.mark.security("2.9")
@pytest.mark.parametrize(
    "wrong",
    [{"given_name": "admin@example.com"}, {"family_name": "x" * 101}, {"phone": "call me"}],
)
def test_a_name_may_not_look_like_an_address(me, person_id, wrong):
    me.get("/account").submit("/account", **wrong)

    assert me.status == 422
    with db.reading() as session:
        assert people.find(session, person_id).given_name is None


@pytest.mark.security("3.7")
def test_the_address_can_not_be_changed_by_posting_one(me, person_id):
    me.get("/account").submit("/account", email="other@example.com", status="blocked")

    with db.reading() as session:
        person = people.find(session, person_id)
    assert (person.email, person.status) == (ANNA, "active")


@pytest.mark.product("OPS-4")
def test_the_language_chosen_at_the_foot_of_a_page_stays_with_the_person(me, person_id):
    me.get("/account")
    me.post("/preferences", language="pl", next="/account")

    with db.reading() as session:
        assert people.find(session, person_id).locale == "pl"
