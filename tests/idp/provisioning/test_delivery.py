"""Who has no way in gets one, who has one reads that it leads further; and only the mailbox knows which."""

import re
from typing import Any

import pytest

from idp.credentials import password
from tenants.database import db
from tenants.people import service as people
from tests.idp.provisioning.conftest import ANNA, CALLBACK, a_program
from tests.idp.visitor import PASSWORD, Visitor, a_person, an_authenticator
from tests.tenants import making
from tests.tenants.acting import an_office

pytestmark = [pytest.mark.product("TEN-15", "CRM-6")]

EMAIL = ANNA["email"]
WAYS = ("temporary-password", "welcome-link")


@pytest.fixture
def mails(mailroom):
    """The mails to Anna up to now."""

    def read() -> list[Any]:
        # The first round decides what to write, the second sends it.
        mailroom.deliver()
        mailroom.deliver()
        return [mail for mail in mailroom.sent if mail.to == EMAIL]

    return read


def stored(email=EMAIL) -> str | None:
    with db.reading() as session:
        person = people.find_by_email(session, email)
        return password.stored_hash(session, person_id=person.id)


@pytest.mark.product("ID-9")
def test_a_temporary_password_lets_a_new_person_in(program, mails):
    program.provision(delivery="temporary-password", return_to=f"{CALLBACK}/panel", locale="pl")

    (mail,) = mails()
    assert "hasło" in mail.text
    assert f"{CALLBACK}/panel" in mail.text


@pytest.mark.product("ID-10")
def test_a_welcome_link_lets_a_new_person_in(program, mails):
    program.provision(delivery="welcome-link")

    (mail,) = mails()
    assert "/welcome" in mail.text


def test_with_none_nobody_is_mailed(program, mails):
    program.provision(delivery="none")

    assert mails() == []


@pytest.mark.product("CRM-6", "TEN-15")
@pytest.mark.parametrize("delivery", WAYS)
@pytest.mark.parametrize(
    ("kind", "said"),
    [("client", "has opened its client panel to you"), ("user", "has added you as a user")],
)
def test_the_mail_names_the_account_that_lets_the_person_in(program, mails, delivery, kind, said):
    program.provision(delivery=delivery, kind=kind, locale="en")

    (mail,) = mails()
    for part in (mail.text, mail.html):
        assert f"Zielony Dom {said}." in part


@pytest.mark.parametrize("delivery", WAYS)
@pytest.mark.parametrize("kind", ["client", "user"])
def test_a_password_that_somebody_has_is_never_touched(program, mails, delivery, kind):
    a_person(EMAIL)
    before = stored()

    program.provision(delivery=delivery, kind=kind, return_to=CALLBACK)
    program.do("send-access", delivery=delivery)

    assert stored() == before
    assert len(mails()) == 2
    assert all("Zielony Dom" in mail.text for mail in mails())
    assert not any("/welcome" in mail.text for mail in mails())
    # A user is asked first whether they accept.
    assert (CALLBACK in mails()[0].text) == (kind == "client")


def test_neither_is_an_app_nor_a_password_beside_it(program, mails, identity_app, now):
    person_id = a_person(EMAIL, password_=None)
    an_authenticator(person_id, now=now)

    program.provision(delivery="temporary-password")

    assert stored() is None
    assert "Zielony Dom" in mails()[0].text


@pytest.mark.product("TEN-15")
def test_a_fresh_secret_supersedes_where_nobody_came_yet(program, mails, identity_app):
    """Provisioned twice and never activated: as new."""
    program.provision(delivery="welcome-link")
    (first,) = mails()
    second_office = an_office("Drugie biuro")
    a_program(identity_app, second_office.id).provision(delivery="welcome-link")

    second = mails()[-1]
    old, new = (re.search(r"/welcome\S+", mail.text)[0] for mail in (first, second))
    assert old != new
    assert Visitor(identity_app).get(old).status == 400
    assert Visitor(identity_app).get(new).status == 200


@pytest.mark.product("CRM-6")
def test_access_can_be_sent_again(program, mails):
    program.provision(delivery="temporary-password")
    first = mails()[-1]

    answer = program.do("send-access", delivery="temporary-password")

    assert answer.status_code == 200
    assert len(mails()) == 2
    assert mails()[-1].text != first.text


@pytest.mark.parametrize("gone", ["removed", "application taken", "suspended", "blocked person"])
def test_who_is_no_more_to_come_hears_nothing(program, mails, office, gone, now):
    program.provision(delivery="welcome-link")
    if gone == "removed":
        program.do("remove")
    elif gone == "application taken":
        making.take(office.id, "crm")
    elif gone == "suspended":
        making.change_account(office.id, status="suspended")
    else:
        with db.transaction() as session:
            people.block(session, people.find_by_email(session, EMAIL).id, now=now)

    assert mails() == []


@pytest.mark.parametrize("is_ours", [True, False])
def test_an_address_that_is_none_of_ours_any_more_is_left_out(program, mails, monkeypatch, is_ours):
    program.provision(delivery="temporary-password", return_to=f"{CALLBACK}/panel")
    monkeypatch.setattr("idp.access.return_address.is_good", lambda *_: is_ours)

    assert (f"{CALLBACK}/panel" in mails()[0].text) is is_ours


@pytest.mark.security("3.11")
def test_a_mailbox_of_somebody_known_hears_only_so_often(program, mails):
    a_person(EMAIL)
    program.provision(delivery="welcome-link")
    for _ in range(8):
        assert program.do("send-access").status_code == 200

    assert len(mails()) == 5


def test_the_two_kinds_read_two_letters(program, mails):
    a_person(EMAIL, password_=PASSWORD)
    program.provision(delivery="welcome-link")
    program.provision(delivery="welcome-link", kind="user", external_id="user-17")

    client, user = mails()
    assert client.subject != user.subject
