import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import update

from idp.events import IdpEvent
from idp.not_me import locks
from idp.not_me.locks import Reason
from idp.sessions import service as sessions
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people.models import Person
from tests.idp.visitor import NEW_PASSWORD, Visitor, a_person, an_authenticator

ANNA = "anna@example.com"
GMAIL_SCANNER = {"User-Agent": "GoogleImageProxy"}


@pytest.fixture
def person_id(identity_app):
    return a_person()


@pytest.fixture
def thief(identity_app, mailroom, person_id):
    """Somebody else's browser, signed in as Anna and remembered; a notice told of it."""
    Visitor(identity_app).sign_in(ANNA).submit("/sign-in/code", code=mailroom.code_to(ANNA))
    other = Visitor(identity_app, address="192.0.2.99").sign_in(ANNA)
    return other.submit("/sign-in/code", code=mailroom.code_to(ANNA), remember="y")


def lock(person_id):
    with db.transaction() as session:
        locks.lock(session, person_id=person_id, reason=Reason.NOT_ME, now=datetime.now(UTC))


def is_locked(person_id):
    with db.reading() as session:
        return locks.is_locked(session, person_id=person_id)


@pytest.mark.product("ID-7")
@pytest.mark.security("2.8")
def test_the_link_of_a_notice_locks_ends_and_leads_to_a_new_password(
    visitor, thief, mailroom, person_id
):
    link = mailroom.link_to(ANNA)
    assert thief.is_signed_in()

    visitor.get(link).submit("/not-me")

    assert visitor.path.startswith("/reset/password")
    assert "Your ID is locked, and everybody is signed out" in visitor.words
    assert is_locked(person_id)
    assert not thief.is_signed_in()
    visitor.submit("/reset/password", new_password=NEW_PASSWORD)
    assert not is_locked(person_id)
    assert not visitor.is_signed_in()
    visitor.submit("/sign-in/password", password=NEW_PASSWORD)
    assert visitor.is_signed_in()


@pytest.mark.security("3.5")
def test_the_second_factor_is_still_asked_for_after_the_new_password(
    visitor, thief, mailroom, person_id
):
    an_authenticator(person_id, now=datetime.now(UTC))

    visitor.get(mailroom.link_to(ANNA)).submit("/not-me")
    visitor.submit("/reset/password", new_password=NEW_PASSWORD)
    visitor.submit("/sign-in/password", password=NEW_PASSWORD)

    assert visitor.path.startswith("/sign-in/code")
    assert not visitor.is_signed_in()


@pytest.mark.security("3.2")
def test_opening_the_link_asks_changes_nothing_and_hides_the_token(
    identity_app, thief, mailroom, person_id
):
    link = mailroom.link_to(ANNA)
    scanner = Visitor(identity_app)
    for _ in range(3):
        scanner.client.head(link, headers=GMAIL_SCANNER)
        scanner.get(link)

    assert scanner.path == "/not-me"
    assert "token=" not in scanner.text
    assert scanner.response.headers["Referrer-Policy"] == "no-referrer"
    assert "A sign-in from a new device" in scanner.words
    assert "Everybody is signed out" in scanner.words
    assert thief.is_signed_in()
    assert not is_locked(person_id)


@pytest.mark.security("3.1")
@pytest.mark.security("14.3")
def test_without_the_page_in_front_nothing_is_locked(identity_app, thief, mailroom, person_id):
    token = mailroom.link_to(ANNA).partition("token=")[2]
    stranger = Visitor(identity_app).get("/reset")

    assert stranger.post("/not-me", token=token).status_code == 400
    assert Visitor(identity_app).client.post("/not-me", data={"token": token}).status_code == 400
    assert not is_locked(person_id)


@pytest.mark.security("3.1")
def test_a_used_link_says_so(identity_app, visitor, thief, mailroom):
    link = mailroom.link_to(ANNA)
    visitor.get(link).submit("/not-me")

    again = Visitor(identity_app).get(link)

    assert again.status == 400
    assert "This link does not work any more" in again.words
    assert "/reset" in again.text


@pytest.mark.security("3.1")
def test_an_old_link_says_so(visitor, thief, mailroom, person_id):
    link = mailroom.link_to(ANNA)

    with time_machine.travel(datetime.now(UTC) + timedelta(days=7, minutes=1)):
        visitor.get(link)

    assert visitor.status == 400
    assert "more than 7 days have passed" in visitor.words


@pytest.mark.security("3.1")
def test_two_pages_that_are_open_lock_once(identity_app, visitor, thief, mailroom, person_id):
    link = mailroom.link_to(ANNA)
    other = Visitor(identity_app).get(link)
    visitor.get(link).submit("/not-me")

    other.submit("/not-me")

    assert other.status == 400
    with db.reading() as session:
        events = [row.event for row in ledger.history(session, chain=person_chain(person_id))]
    assert events.count(IdpEvent.SIGN_IN_LOCKED) == 1


def test_the_link_of_a_blocked_person_opens_nothing(visitor, thief, mailroom, person_id):
    link = mailroom.link_to(ANNA)
    with db.transaction() as session:
        session.execute(update(Person).where(Person.id == person_id).values(status="blocked"))

    assert visitor.get(link).status == 400


@pytest.mark.product("ID-7")
def test_the_right_password_of_a_locked_id_leads_to_the_reset(visitor, mailroom, person_id):
    lock(person_id)

    visitor.sign_in(ANNA)

    assert visitor.status == 403
    assert "This ID is locked" in visitor.words
    assert not visitor.is_signed_in()
    reset = re.search(r'href="(/reset\?flow=[^"]+)"', visitor.text)[1]
    assert visitor.get(reset).form("/reset").values["email"] == ANNA
    visitor.submit("/reset").submit("/reset/code", code=mailroom.code_to(ANNA))
    visitor.submit("/reset/password", new_password=NEW_PASSWORD)
    visitor.submit("/sign-in/password", password=NEW_PASSWORD)
    assert visitor.is_signed_in()


@pytest.mark.security("2.1")
def test_the_right_password_of_a_locked_id_stays_counted_and_is_on_record(identity_app, person_id):
    lock(person_id)

    statuses = [Visitor(identity_app).sign_in(ANNA).status for _ in range(7)]

    assert statuses[:5] == [403] * 5
    assert statuses[-1] == 429
    with db.reading() as session:
        row = ledger.history(session, chain=person_chain(person_id))[-1]
    assert (row.event, row.result) == (IdpEvent.SIGN_IN_PASSWORD_LOCKED, "failure")


@pytest.mark.security("4.7")
def test_a_remembered_device_does_not_get_in_after_a_lock(thief, mailroom, visitor, person_id):
    visitor.get(mailroom.link_to(ANNA)).submit("/not-me")

    thief.sign_in(ANNA)
    assert thief.status == 403

    visitor.submit("/reset/password", new_password=NEW_PASSWORD)
    thief.sign_in(ANNA, NEW_PASSWORD)
    assert thief.path.startswith("/sign-in/code")


@pytest.mark.security("2.7")
def test_a_code_of_a_sign_in_under_way_gets_nobody_in(identity_app, thief, mailroom, person_id):
    link = mailroom.link_to(ANNA)
    under_way = Visitor(identity_app).sign_in(ANNA)
    code = mailroom.code_to(ANNA)
    Visitor(identity_app).get(link).submit("/not-me")

    under_way.submit("/sign-in/code", code=code)

    assert under_way.path.startswith("/sign-in/password")
    assert not under_way.is_signed_in()


@pytest.mark.security("5.5")
def test_the_cookie_of_an_ended_session_opens_nothing(identity_app, thief, mailroom, visitor):
    copied = thief.cookie(sessions.COOKIE)
    visitor.get(mailroom.link_to(ANNA)).submit("/not-me")

    other = Visitor(identity_app)
    other.client.set_cookie(sessions.COOKIE, copied)

    assert not other.is_signed_in()
