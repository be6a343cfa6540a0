"""Whoever is added «i poinformuj» hears of it, by a mail that fits how they come in."""

from datetime import timedelta

import pytest

from idp import facts as hearing
from idp.joining import service as joining
from idp.joining.service import unlinked
from kernel.limits import Window
from tenants.database import db
from tenants.members import service as members
from tenants.members.service import MemberKind, Wanted
from tenants.people import service as people
from tests.idp.visitor import a_person
from tests.tenants import making
from tests.tenants.acting import BOSS, an_office

pytestmark = [pytest.mark.usefixtures("identity_app"), pytest.mark.product("TEN-7")]

KNOWN, NEW = "anna@example.com", "new@example.com"


@pytest.fixture
def office(identity_app):
    return an_office()


@pytest.fixture
def add(office, mailroom, now):
    """Somebody is added, and the worker acts on it."""

    def act(email, where=office, at=now, **more):
        with db.transaction(tenant=where.id) as session:
            added = members.add(session, where.id, email=email, actor=BOSS, now=at, **more)
        hearing.hear(at)
        return added

    return act


def letters(mailroom, email):
    return [mail for mail in mailroom.deliver() if mail.to == email]


def test_who_has_no_way_in_gets_a_welcome_link(add, mailroom):
    add(NEW, silently=False, locale="pl")

    mail = mailroom.to(NEW)
    assert "Ustaw" in mail.subject
    assert "/welcome" in mail.text


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (MemberKind.MEMBER, "The company account Zielony Dom has added you as a user."),
        (MemberKind.CLIENT, "Zielony Dom has opened its client panel to you."),
    ],
)
def test_the_first_mail_says_which_account_let_them_in_and_as_what(add, mailroom, kind, said):
    add(NEW, silently=False, kind=kind, locale="en")

    mail = mailroom.to(NEW)
    for part in (mail.text, mail.html):
        assert said in part
        assert "because Zielony Dom made access for" in part
        assert "Companies" not in part


@pytest.mark.parametrize("email", [KNOWN, NEW])
def test_the_mail_names_the_companies_where_it_is_about_some_alone(add, mailroom, office, email):
    a_person(KNOWN)
    elsewhere = making.a_company(office.id, "www.evil.example")
    places = [making.a_company(office.id, "Ćma"), office.second, elsewhere]

    add(
        email,
        silently=False,
        assignments=[Wanted(office.watching, company) for company in places],
        locale="en",
    )

    mail = mailroom.to(email)
    for part in (mail.text, mail.html):
        assert "Companies: Budowa, Ćma, www.\u200bevil.\u200bexample" in part


def test_a_role_on_the_whole_account_is_about_no_company(add, mailroom, office):
    given = [Wanted(office.watching), Wanted(office.watching, office.second)]

    add(NEW, silently=False, assignments=given, locale="en")

    assert "Companies" not in mailroom.to(NEW).text


@pytest.mark.parametrize("kind", MemberKind)
def test_who_has_a_way_in_reads_that_it_leads_further(add, mailroom, office, kind):
    a_person(KNOWN)

    add(KNOWN, silently=False, kind=kind)

    mail = mailroom.to(KNOWN)
    assert "Zielony Dom" in mail.text
    leads_to = {
        MemberKind.MEMBER: "http://localhost:9000/account/invitations",
        MemberKind.CLIENT: "http://localhost:9001",
    }
    assert leads_to[kind] in mail.text
    assert "token" not in mail.text


@pytest.mark.parametrize("email", [KNOWN, NEW])
def test_who_is_added_silently_hears_nothing(add, mailroom, email):
    a_person(KNOWN)

    add(email)

    assert letters(mailroom, email) == []


@pytest.mark.parametrize("kind", MemberKind)
def test_who_was_added_silently_can_be_told_later(add, mailroom, office, now, kind):
    a_person(KNOWN)
    for email in (KNOWN, NEW):
        added = add(email, kind=kind)
        with db.transaction(tenant=office.id) as session:
            members.inform(session, office.id, added.membership_id, kind=kind, actor=BOSS, now=now)
    hearing.hear(now)

    assert "Zielony Dom" in mailroom.to(KNOWN).text
    assert "/welcome" in mailroom.to(NEW).text


def test_who_is_blocked_everywhere_hears_nothing(add, mailroom, now):
    person = a_person(KNOWN)
    with db.transaction() as session:
        people.block(session, person, now=now)

    add(KNOWN, silently=False)

    assert letters(mailroom, KNOWN) == []


def test_an_account_that_was_suspended_meanwhile_mails_nobody(office, mailroom, now):
    with db.transaction(tenant=office.id) as session:
        members.add(session, office.id, email=NEW, actor=BOSS, now=now, silently=False)
    making.change_account(office.id, status="suspended")

    hearing.hear(now)

    assert letters(mailroom, NEW) == []


@pytest.mark.security("3.11")
def test_a_mailbox_hears_only_so_often_from_all_accounts_together(add, mailroom, now):
    a_person(KNOWN)
    most = joining.TO_PERSON.limit

    for number in range(most + 3):
        add(KNOWN, an_office(f"Biuro {number}"), silently=False)
    later = now + timedelta(hours=2)
    add(KNOWN, an_office("Później"), later, silently=False)

    assert len(letters(mailroom, KNOWN)) == most + 1


@pytest.mark.security("3.11")
def test_an_account_mails_only_so_many(add, mailroom, monkeypatch):
    monkeypatch.setattr(
        joining, "OF_ACCOUNT", Window("mail:few", limit=2, every=timedelta(hours=1))
    )

    for number in range(4):
        add(f"new-{number}@example.com", silently=False)

    assert len(mailroom.deliver()) == 2


@pytest.mark.security("15.7")
def test_a_name_is_neither_html_nor_a_link_in_a_mail(add, mailroom, now):
    a_person(KNOWN)
    office = an_office("<b>Wygrana</b> www.evil.example http://evil.example")

    add(KNOWN, office, silently=False)

    mail = mailroom.to(KNOWN)
    assert "<b>Wygrana" not in mail.html
    assert "evil.example" not in mail.text + mail.html


def test_a_name_looks_as_it_was_typed():
    assert unlinked("Budowa Sp. z o.o.").replace("\u200b", "") == "Budowa Sp. z o.o."
