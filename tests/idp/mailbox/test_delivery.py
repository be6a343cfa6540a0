import re

import pytest
from sqlalchemy import update

from idp.mailbox.delivery import which_letter
from idp.mailbox.service import Purpose
from tenants.database import db
from tenants.people import service as people
from tenants.people.models import Person
from tests.idp.visitor import Visitor, a_person


def person(email="anna@example.com"):
    with db.reading() as session:
        return people.find_by_email(session, email)


@pytest.mark.product("ID-4")
@pytest.mark.parametrize(
    ("purpose", "known", "letter"),
    [
        (Purpose.REGISTRATION, False, "registration/confirm"),
        (Purpose.REGISTRATION, True, "registration/known"),
        (Purpose.RESET, False, "recovery/unknown"),
        (Purpose.RESET, True, "recovery/reset"),
    ],
)
def test_the_mail_says_what_is_true(identity_app, purpose, known, letter):
    if known:
        a_person()

    assert which_letter(purpose, person()) == letter


@pytest.mark.parametrize("path", ["/register", "/reset"])
def test_nobody_writes_to_somebody_who_is_blocked(identity_app, mailroom, path):
    person_id = a_person()
    with db.transaction() as session:
        session.execute(update(Person).where(Person.id == person_id).values(status="blocked"))

    Visitor(identity_app).get(path).submit(path, email="anna@example.com")

    assert mailroom.deliver() == []


@pytest.mark.product("TEN-7")
@pytest.mark.parametrize(
    ("purpose", "letter"),
    [(Purpose.REGISTRATION, "registration/confirm"), (Purpose.RESET, "recovery/reset")],
)
def test_who_was_added_and_never_came_begins_as_everybody_does(identity_app, purpose, letter):
    a_person(password_=None)

    assert which_letter(purpose, person(), has_come=False) == letter


@pytest.mark.security("2.4", "3.9")
def test_registering_says_the_same_to_who_was_added_and_to_who_was_not(identity_app, mailroom):
    a_person("added@example.com", password_=None)
    for email in ("added@example.com", "new@example.com"):
        Visitor(identity_app).get("/register").submit("/register", email=email)
    mailroom.deliver()

    assert len(mailroom.sent) == 2
    assert len({re.sub(r"\d{8}", "…", mail.subject) for mail in mailroom.sent}) == 1
