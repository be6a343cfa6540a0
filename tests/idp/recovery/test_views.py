from datetime import UTC, datetime

import pytest

from idp.events import IdpEvent
from idp.protocol import acr
from idp.sessions import service as sessions
from tenants.audit import ledger, person_chain
from tenants.database import db
from tests.idp.visitor import NEW_PASSWORD, PASSWORD, Visitor, a_person, an_authenticator

ANNA = "anna@example.com"


def reset(visitor, mailroom, typed=NEW_PASSWORD):
    visitor.get("/reset").submit("/reset", email=ANNA)
    visitor.submit("/reset/code", code=mailroom.code_to(ANNA))
    return visitor.submit("/reset/password", new_password=typed)


@pytest.mark.product("ID-8")
@pytest.mark.security("3.5")
def test_a_reset_leads_back_to_the_password_and_signs_nobody_in(visitor, mailroom):
    a_person()

    reset(visitor, mailroom)

    assert visitor.path.startswith("/sign-in/password")
    assert "The new password is set" in visitor.words
    assert not visitor.is_signed_in()


@pytest.mark.product("ID-8")
@pytest.mark.security("4.4")
def test_after_a_reset_the_new_password_enters_with_one_factor_and_no_second_mail(
    visitor, mailroom
):
    a_person()
    reset(visitor, mailroom)
    mailroom.deliver()

    visitor.submit("/sign-in/password", password=NEW_PASSWORD)

    with db.reading() as session:
        me = sessions.find_by_secret(
            session, visitor.cookie(sessions.COOKIE), now=datetime.now(UTC)
        )
    assert me.acr == acr.SINGLE_FACTOR
    assert mailroom.deliver() == []


@pytest.mark.security("3.5")
def test_a_reset_does_not_skip_the_authenticator_app(visitor, mailroom):
    an_authenticator(a_person(), now=datetime.now(UTC))
    reset(visitor, mailroom)

    visitor.submit("/sign-in/password", password=NEW_PASSWORD)

    assert visitor.path.startswith("/sign-in/code")
    assert not visitor.is_signed_in()


def test_a_reset_leads_to_its_own_id_where_another_one_is_signed_in(visitor, mailroom):
    a_person("bert@example.com")
    visitor.sign_in("bert@example.com")
    visitor.submit("/sign-in/code", code=mailroom.code_to("bert@example.com"))
    a_person()

    reset(visitor, mailroom)

    assert visitor.path.startswith("/sign-in/password?")
    assert ANNA in visitor.words


@pytest.mark.product("ID-8")
def test_the_old_password_is_dead(identity_app, visitor, mailroom):
    a_person()
    reset(visitor, mailroom)

    assert "do not match" in Visitor(identity_app).sign_in(ANNA, PASSWORD).words


@pytest.mark.product("ID-8")
@pytest.mark.security("3.5")
@pytest.mark.security("5.5")
def test_a_reset_ends_every_session_and_every_remembered_device(identity_app, visitor, mailroom):
    a_person()
    elsewhere = Visitor(identity_app).sign_in(ANNA)
    elsewhere.submit("/sign-in/code", code=mailroom.code_to(ANNA), remember="y")
    assert elsewhere.is_signed_in()

    reset(visitor, mailroom)

    assert not elsewhere.is_signed_in()
    elsewhere.sign_in(ANNA, NEW_PASSWORD)
    assert elsewhere.path.startswith("/sign-in/code")


@pytest.mark.product("ID-8")
@pytest.mark.security("17.1")
def test_a_reset_is_mailed_and_noted(visitor, mailroom):
    person_id = a_person()

    reset(visitor, mailroom)

    assert mailroom.to(ANNA).subject == "Your password was changed"
    with db.reading() as session:
        events = [row.event for row in ledger.history(session, chain=person_chain(person_id))]
    assert events == [IdpEvent.PASSWORD_RESET]


@pytest.mark.product("ID-8")
def test_the_link_works_on_another_device(identity_app, visitor, mailroom):
    a_person()
    visitor.get("/reset").submit("/reset", email=ANNA)
    phone = Visitor(identity_app)

    phone.get(mailroom.link_to(ANNA)).submit("/reset/confirm")
    phone.submit("/reset/password", new_password=NEW_PASSWORD)
    phone.submit("/sign-in/password", password=NEW_PASSWORD)

    assert phone.is_signed_in()


@pytest.mark.security("3.1")
def test_one_proof_sets_one_password(visitor, mailroom):
    a_person()
    reset(visitor, mailroom)
    flow = visitor.flow

    response = visitor.post(f"/reset/password?flow={flow}", new_password="osiem innych latarni")

    assert response.headers["Location"].startswith("/reset?flow=")


@pytest.mark.security("3.1")
def test_a_reset_voids_the_other_links_that_are_under_way(identity_app, visitor, mailroom):
    a_person()
    visitor.get("/reset").submit("/reset", email=ANNA)
    link = mailroom.link_to(ANNA)
    visitor.submit("/reset/code", code=mailroom.code_to(ANNA))
    visitor.submit("/reset/password", new_password=NEW_PASSWORD)

    assert Visitor(identity_app).get(link).status == 400


@pytest.mark.product("ID-4")
def test_an_unknown_address_learns_from_the_mail_that_there_is_no_id(visitor, mailroom):
    visitor.get("/reset").submit("/reset", email="nobody@example.com")

    assert "Read your mail" in visitor.words
    mail = mailroom.to("nobody@example.com")
    assert mail.subject == "There is no ID with this address"
    assert "http://localhost:9000/register" in mail.text
    assert "token=" not in mail.text


@pytest.mark.security("2.1")
@pytest.mark.security("2.2")
def test_a_reset_opens_a_door_that_was_shut_by_guessing(identity_app, visitor, mailroom):
    a_person()
    for _ in range(6):
        Visitor(identity_app).sign_in(ANNA, "wrong")

    reset(visitor, mailroom)
    visitor.submit("/sign-in/password", password=NEW_PASSWORD)

    assert visitor.is_signed_in()


@pytest.mark.product("ID-8")
def test_a_person_without_a_password_sets_the_first_one(visitor, mailroom):
    a_person(password_=None)

    reset(visitor, mailroom)
    visitor.submit("/sign-in/password", password=NEW_PASSWORD)

    assert visitor.is_signed_in()


def test_a_refused_password_is_explained(visitor, mailroom):
    a_person()

    reset(visitor, mailroom, "short")

    assert visitor.status == 422
    assert "at least 12 characters" in visitor.words


@pytest.mark.product("OPS-4")
def test_the_mail_comes_in_the_persons_language(visitor, mailroom):
    a_person()
    visitor._headers["Accept-Language"] = "pl"

    visitor.get("/reset").submit("/reset", email=ANNA)
    visitor.submit("/reset/code/send")

    assert "Nowe hasło" in visitor.text or "kod" in visitor.words
    assert mailroom.to(ANNA).locale == "en"
