"""Who manages webhooks hears that one was switched off for what its receiver did."""

from datetime import timedelta

import pytest

from idp import facts as hearing
from idp.webhooks import letters
from kernel.limits import Window
from tenants.database import db
from tenants.people.models import Person
from tenants.webhooks import service as webhooks
from tests.idp.visitor import a_person
from tests.tenants import making
from tests.tenants.acting import an_office, facts, trail

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-16")]

ANNA, JAN = "anna@example.com", "jan@example.com"


@pytest.fixture
def office():
    return an_office()


def a_manager(office, email, locale):
    """An admin, or somebody with a role for it, with a language of their own."""
    person = a_person(email)
    with db.transaction() as session:
        session.get_one(Person, person).locale = locale
    role = making.a_role(office.id, email, rights=[letters.MANAGING])
    making.a_member(office.id, person, roles=[role])


def an_endpoint(office, now, url="https://hooks.example:8443/in?token=s3cret"):
    with db.transaction(tenant=office.id) as session:
        made, _ = webhooks.create(session, office.id, url=url, actor="person:7", now=now)
    return made.id


def switch_off(office, endpoint, now, why="failing"):
    with db.transaction(tenant=office.id) as session:
        webhooks.switch_off(session, office.id, endpoint, why=why, actor="system", now=now)
    hearing.hear(now)


def test_each_reads_in_their_language_which_account_and_which_receiver(office, mailroom, now):
    a_manager(office, ANNA, "pl")
    a_manager(office, JAN, "en")
    making.a_member(office.id, a_person("ewa@example.com"), roles=[office.selling])

    switch_off(office, an_endpoint(office, now), now)

    mails = {mail.to: mail for mail in mailroom.deliver()}
    assert set(mails) == {ANNA, JAN}
    assert mails[ANNA].subject == "Wyłączyliśmy webhook konta firmy Zielony Dom"
    assert mails[JAN].subject == "A webhook of Zielony Dom was switched off"
    for mail in mails.values():
        for part in (mail.text, mail.html):
            assert "hooks.\u200bexample" in part
            assert "s3cret" not in part
    assert "five days" in mails[JAN].text
    assert "webhook:disabled" in trail(office.id)


def test_a_receiver_that_says_that_it_is_gone_is_called_so(office, mailroom, now):
    a_manager(office, JAN, "en")

    switch_off(office, an_endpoint(office, now), now, why="gone")

    assert "gone for good" in mailroom.to(JAN).text


def test_what_somebody_switched_off_themselves_is_mailed_to_nobody(office, mailroom, now):
    a_manager(office, JAN, "en")
    endpoint = an_endpoint(office, now)

    switch_off(office, endpoint, now, why="person")

    assert mailroom.deliver() == []
    assert [kind for kind, _, _ in facts()] == ["webhook.disabled"]


@pytest.mark.parametrize("meanwhile", ["enabled", "removed", "suspended"])
def test_what_is_no_longer_so_is_mailed_to_nobody(office, mailroom, now, meanwhile):
    a_manager(office, JAN, "en")
    endpoint = an_endpoint(office, now)
    with db.transaction(tenant=office.id) as session:
        webhooks.switch_off(session, office.id, endpoint, why="failing", actor="system", now=now)
        if meanwhile == "enabled":
            webhooks.enable(session, office.id, endpoint, actor="person:7", now=now)
        if meanwhile == "removed":
            webhooks.remove(session, office.id, endpoint, version=None, actor="person:7", now=now)
    if meanwhile == "suspended":
        making.change_account(office.id, status="suspended")

    hearing.hear(now)

    assert mailroom.deliver() == []


@pytest.mark.security("3.11")
def test_a_mailbox_hears_only_so_often(office, mailroom, now, monkeypatch):
    monkeypatch.setattr(
        letters, "TO_PERSON", Window("mail:few-webhooks", limit=2, every=timedelta(hours=1))
    )
    a_manager(office, JAN, "en")

    for _ in range(3):
        switch_off(office, an_endpoint(office, now), now)

    assert len(mailroom.deliver()) == 2


@pytest.mark.security("15.7")
def test_a_name_is_no_html_in_the_mail(mailroom, now):
    office = an_office("<b>Wygrana</b> www.evil.example")
    a_manager(office, JAN, "en")

    switch_off(office, an_endpoint(office, now), now)

    mail = mailroom.to(JAN)
    assert "<b>Wygrana" not in mail.html
    assert "evil.example" not in mail.text + mail.html
