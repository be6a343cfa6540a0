"""The mail of an invitation: one for each, to the address alone, with the only copy of the link."""

import json

import pytest

from idp.invitations.letters import TO_ADDRESS
from idp.invitations.link import Link
from kernel import clock
from kernel.limits import Window
from tenants.audit import account_chain, ledger
from tenants.database import db
from tenants.facts.models import Fact
from tenants.invitations import service as invitations
from tenants.members.service import Wanted
from tests.idp.visitor import a_person
from tests.tenants import making
from tests.tenants.acting import an_office

ANNA, NEW = "anna@example.com", "new@example.com"


def letters(mailroom, email=NEW):
    return [mail for mail in mailroom.deliver() if mail.to == email]


def act(office, deed, invitation, admin, **more):
    with db.transaction(tenant=office.id) as session:
        deed(session, office.id, invitation.id, actor=admin.actor, now=clock.now(), **more)


def sent_again(office, invitation, admin):
    act(office, invitations.send_again, invitation, admin)


@pytest.mark.product("TEN-7")
def test_the_mail_says_which_account_which_roles_for_whom_and_until_when(invite, office, mailroom):
    given = [Wanted(office.watching), Wanted(office.selling, office.second)]
    invite(assignments=given, locale="pl")

    mail = mailroom.to(NEW)
    assert mail.subject == "Zaproszenie do konta firmy Zielony Dom"
    for part in (mail.text, mail.html):
        assert "Podgląd, Sprzedaż (Budowa)" in part
        assert NEW in part
        assert "/invitation?token=" in part


def test_the_mail_is_in_the_language_that_the_account_typed(invite, mailroom):
    a_person(ANNA)
    invite(ANNA, locale="pl")

    assert mailroom.to(ANNA).locale == "pl"


def test_else_it_is_in_the_language_of_the_person(invite, mailroom):
    a_person(ANNA)
    invite(ANNA)

    assert mailroom.to(ANNA).subject == "Invitation to the company account Zielony Dom"


@pytest.mark.security("2.4", "3.9")
def test_who_has_an_id_gets_the_same_mail_as_who_has_none(invite, mailroom):
    a_person(ANNA)
    invite(ANNA, locale="en")
    invite(NEW, locale="en")

    mails = {mail.to: mail for mail in mailroom.deliver()}
    assert set(mails) == {ANNA, NEW}
    words = [mails[each].text.replace(each, "…").split("/invitation?token=")[0] for each in mails]
    assert words[0] == words[1]


@pytest.mark.security("3.9")
def test_the_link_stands_in_the_mail_and_nowhere_else(invite, office, mailroom):
    invite()
    token = Link.read(mailroom.link_to(NEW).partition("token=")[2]).token

    with db.reading() as session:
        facts = [fact.details for fact in session.query(Fact)]
        rows = [
            (row.details, row.personal)
            for row in ledger.history(session, chain=account_chain(office.id))
        ]
    assert facts
    assert rows
    assert token not in json.dumps([facts, rows], default=str)


@pytest.mark.security("3.1")
def test_sent_again_the_newest_link_is_the_one_that_counts(
    invite, office, admin, mailroom, visitor
):
    invitation = invite()
    old = mailroom.link_to(NEW)
    sent_again(office, invitation, admin)
    new = mailroom.link_to(NEW)

    assert visitor.get(old).status == 400
    assert visitor.get(new).status == 200


@pytest.mark.security("3.11")
def test_an_address_gets_so_many_mails_an_hour_from_all_accounts_and_none_is_told(
    invite, office, mailroom
):
    for number in range(TO_ADDRESS.limit + 2):
        other = an_office(f"Dom {number}")
        invite(where=other, actor=other.admin().actor, assignments=())

    assert len(letters(mailroom)) == TO_ADDRESS.limit


@pytest.mark.security("3.1", "3.11")
def test_the_link_of_the_last_mail_stays_good_where_no_other_is_written(
    invite, office, admin, mailroom, visitor, monkeypatch
):
    few = Window(TO_ADDRESS.name, limit=1, every=TO_ADDRESS.every)
    monkeypatch.setattr("idp.invitations.letters.TO_ADDRESS", few)
    invitation = invite()
    link = mailroom.link_to(NEW)

    sent_again(office, invitation, admin)

    assert letters(mailroom) == []
    assert visitor.get(link).status == 200


@pytest.mark.security("3.9")
def test_what_is_revoked_before_its_mail_is_written_is_not_mailed(invite, office, admin, mailroom):
    act(office, invitations.revoke, invite(), admin)

    assert letters(mailroom) == []


def test_an_account_that_is_suspended_mails_nobody(invite, office, mailroom):
    invite()
    making.change_account(office.id, status="suspended")

    assert letters(mailroom) == []


@pytest.mark.security("15.7")
def test_no_mail_program_makes_a_link_of_the_name_of_an_account(identity_app, invite, mailroom):
    office = an_office("http://evil.example <b>")
    invite(where=office, actor=office.admin().actor, assignments=())

    mail = mailroom.to(NEW)
    assert "evil.example" not in mail.subject + mail.text + mail.html
    assert "<b>" not in mail.html
