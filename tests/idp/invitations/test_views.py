"""From the mail to the place: whoever has the address says yes, and nothing else is one (SECURITY 3.9)."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from idp import facts as hearing
from kernel import clock
from tenants.database import db
from tenants.invitations import service as invitations
from tenants.invitations.rows import State
from tenants.members import service as members
from tenants.members.models import Membership
from tests import programs
from tests.idp.invitations.conftest import AttentiveMailroom
from tests.idp.provider import Browser, sign_in_to
from tests.idp.race import all_at_once
from tests.idp.visitor import NEW_PASSWORD, PASSWORD, Visitor, a_person
from tests.tenants import making
from tests.tenants.acting import BOSS, an_office

ANNA, NEW = "anna@example.com", "new@example.com"


@pytest.fixture
def anna(identity_app):
    return a_person(ANNA)


@pytest.fixture
def link(anna, invite, mailroom):
    invite(ANNA)
    return mailroom.link_to(ANNA)


def enter(visitor, person_id):
    """Sign this browser in, as the pages would."""
    sign_in_to(Browser(visitor.client), person_id, now=clock.now())
    return visitor


def memberships(office, email=ANNA):
    with db.reading(tenant=office.id) as session:
        return members.is_member(session, office.id, email)


@pytest.mark.security("3.2", "3.9")
def test_looking_accepts_nothing_and_the_token_leaves_the_address(visitor, link, office, anna):
    enter(visitor, anna)
    for _ in range(3):
        visitor.get(link)
    visitor.client.head(link)

    assert visitor.path == "/invitation"
    assert "Zielony Dom" in visitor.words
    assert "Podgląd" in visitor.words
    assert ANNA in visitor.words
    assert visitor.response.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in visitor.response.headers["Cache-Control"]
    assert not memberships(office)


@pytest.mark.product("TEN-7")
@pytest.mark.security("3.9")
def test_who_has_the_address_accepts_and_goes_on_to_the_account(visitor, link, office, anna):
    enter(visitor, anna).get(link).submit("/invitation")

    assert f"http://localhost:9001/a/{office.id}" in visitor.text
    assert memberships(office)
    assert visitor.get("/invitation").status == 400


@pytest.mark.security("3.9")
def test_pressed_twice_it_counts_once_and_leads_to_the_same_account(
    identity_app, visitor, link, office, anna
):
    twice = [enter(each, anna).get(link) for each in (visitor, Visitor(identity_app))]
    for each in twice:
        each.submit("/invitation")

    assert {each.status for each in twice} == {200}
    assert all(f"http://localhost:9001/a/{office.id}" in each.text for each in twice)
    assert len(ids_of_members(office)) == 1
    # Looked at afterwards it is over.
    assert visitor.get(link).status == 400


@pytest.mark.security("3.9")
def test_who_has_another_address_is_told_so_and_signs_in_with_the_right_one(
    visitor, link, office, anna, mailroom
):
    enter(visitor, a_person("jan@example.com")).get(link)
    assert "You are signed in as jan@example.com, and the invitation is for anna" in visitor.words
    assert "Accept the invitation" not in visitor.words
    visitor.post("/invitation")
    assert not memberships(office)

    visitor.get("/invitation").submit("/invitation/sign-in")
    assert visitor.path.startswith("/sign-in/password")
    assert ANNA in visitor.words
    visitor.submit("/sign-in/password", password=PASSWORD)
    visitor.submit("/sign-in/code", code=mailroom.code_to(ANNA))

    assert visitor.path == "/invitation"
    assert not memberships(office)
    visitor.submit("/invitation")
    assert memberships(office)
    assert not memberships(office, "jan@example.com")


@pytest.mark.product("TEN-7")
@pytest.mark.security("3.9")
def test_who_has_no_id_makes_one_comes_back_and_only_then_accepts(
    visitor, invite, office, mailroom
):
    invite(NEW)
    visitor.get(mailroom.link_to(NEW)).submit("/invitation/register")
    assert visitor.path.startswith("/register/password")
    visitor.submit("/register/password", new_password=PASSWORD)

    assert visitor.path == "/invitation"
    assert not memberships(office, NEW)
    visitor.submit("/invitation")
    assert memberships(office, NEW)


@pytest.mark.security("3.9", "3.10")
def test_where_registration_is_closed_an_invitation_opens_it_for_its_address_alone(
    make_database, monkeypatch
):
    for app in programs.identity(make_database, registration_open=False):
        mailroom = AttentiveMailroom(app, monkeypatch)
        office = an_office()
        with db.transaction(tenant=office.id) as session:
            invitations.invite(
                session, office.id, email=NEW, actor=office.admin().actor, now=clock.now()
            )
        visitor = Visitor(app)
        assert visitor.get("/register").status == 403
        visitor.get(mailroom.link_to(NEW)).submit("/invitation/register")
        visitor.submit("/register/password", new_password=PASSWORD)
        assert visitor.path == "/invitation"
        assert visitor.get("/register").status == 403


@pytest.mark.security("3.9")
def test_a_reset_accepts_nothing(visitor, link, office, mailroom):
    visitor.get(link)
    visitor.get("/reset").submit("/reset", email=ANNA)
    visitor.get(mailroom.link_to(ANNA)).submit("/reset/confirm")
    visitor.submit("/reset/password", new_password=NEW_PASSWORD)

    assert not memberships(office)
    # And the invitation waits where it was.
    assert visitor.get("/invitation").status == 200


@pytest.mark.security("3.9")
def test_registering_by_the_usual_way_accepts_nothing(visitor, invite, office, mailroom):
    invite(NEW)
    mailroom.deliver()
    visitor.get("/register").submit("/register", email=NEW)
    visitor.submit("/register/code", code=mailroom.code_to(NEW))
    visitor.submit("/register/password", new_password=PASSWORD)

    assert visitor.is_signed_in()
    assert not memberships(office, NEW)


@pytest.mark.security("3.9")
@pytest.mark.parametrize("with_id", [True, False])
def test_it_can_be_declined_with_an_id_or_without(
    visitor, invite, mailroom, state_of, office, anna, with_id
):
    invitation = invite(ANNA)
    if with_id:
        enter(visitor, anna)
    visitor.get(mailroom.link_to(ANNA)).submit("/invitation/decline")

    assert "The invitation is declined" in visitor.words
    assert state_of(invitation) is State.DECLINED
    assert not memberships(office)


def spent(office, invitation, admin, link, visitor, anna):
    enter(visitor, anna).get(link).submit("/invitation")
    making.remove_member(office.id, *ids_of_members(office))


def declined(office, invitation, admin, link, visitor, anna):
    visitor.get(link).submit("/invitation/decline")


def revoked(office, invitation, admin, link, visitor, anna):
    with db.transaction(tenant=office.id) as session:
        invitations.revoke(session, office.id, invitation.id, actor=admin.actor, now=clock.now())


def superseded(office, invitation, admin, link, visitor, anna):
    with db.transaction(tenant=office.id) as session:
        invitations.send_again(
            session, office.id, invitation.id, actor=admin.actor, now=clock.now()
        )
    hearing.hear(clock.now())


def suspended(office, invitation, admin, link, visitor, anna):
    making.change_account(office.id, status="suspended")


def ids_of_members(office):
    with db.reading(tenant=office.id) as session:
        found = Membership.tenant_id == office.id, Membership.email_key == ANNA
        return session.scalars(select(Membership.id).where(*found)).all()


@pytest.mark.security("3.9")
@pytest.mark.parametrize("end", [spent, declined, revoked, superseded, suspended])
def test_one_that_is_over_says_what_to_do_and_gives_nothing(
    visitor, invite, mailroom, office, admin, anna, end
):
    invitation = invite(ANNA)
    link = mailroom.link_to(ANNA)
    other = enter(Visitor(visitor.client.application), anna).get(link)
    end(office, invitation, admin, link, visitor, anna)
    answers = [
        other.post("/invitation"),
        other.post("/invitation/decline"),
        other.post("/invitation/sign-in"),
        other.post("/invitation/register"),
    ]
    other.get(link)

    assert [answer.status_code for answer in answers] == [400] * 4
    assert other.status == 400
    assert "Ask whoever invited you to send the invitation again" in other.words
    assert not memberships(office)


@pytest.mark.security("3.9")
def test_it_ends_at_the_second(visitor, invite, mailroom, anna):
    invitation = invite(ANNA)
    link = mailroom.link_to(ANNA)

    with time_machine.travel(invitation.expires_at - timedelta(seconds=1), tick=False):
        assert visitor.get(link).status == 200
    with time_machine.travel(invitation.expires_at, tick=False):
        assert visitor.get(link).status == 400


@pytest.mark.security("3.9", "12.4")
def test_one_whose_inviter_can_give_it_no_more_gives_nothing(visitor, link, office, admin, anna):
    enter(visitor, anna).get(link)
    making.remove_member(office.id, admin.membership)

    visitor.submit("/invitation")

    assert visitor.status == 400
    assert "Ask whoever invited you" in visitor.words
    assert not memberships(office)


@pytest.mark.parametrize("token", ["", "x", "0123456789ab.x", "0123456789ab.", "żółw", "a" * 3000])
def test_what_is_no_invitation_is_over_too(visitor, token):
    assert visitor.get("/invitation").status == 400
    assert visitor.get(f"/invitation?token={token}").status == 400


@pytest.mark.security("13.5")
def test_the_token_of_one_account_opens_nothing_in_another(visitor, link):
    token = link.partition(".")[2]

    assert visitor.get(f"/invitation?token={making.an_account('Inne').id}.{token}").status == 400


def test_who_was_added_meanwhile_is_led_to_what_waits(visitor, link, office, anna):
    enter(visitor, anna).get(link)
    with db.transaction(tenant=office.id) as session:
        members.add(session, office.id, email=ANNA, actor=BOSS, now=clock.now())

    visitor.submit("/invitation")

    assert visitor.path == "/account/invitations"
    assert "Zielony Dom" in visitor.words


def test_who_has_an_id_and_says_to_have_none_signs_in(visitor, link):
    visitor.get(link).submit("/invitation/register")

    assert visitor.path.startswith("/sign-in/password")
    assert "There is an ID with this address already" in visitor.words


@pytest.mark.security("2.4")
def test_the_page_says_nothing_of_whether_the_address_has_an_id(identity_app, invite, mailroom):
    a_person(ANNA)
    pages, same_moment = [], clock.now()
    for email in (ANNA, NEW):
        invite(email, now=same_moment)
        visitor = Visitor(identity_app).get(mailroom.link_to(email))
        pages.append(visitor.words.replace(email, "…"))

    assert pages[0] == pages[1]


@pytest.mark.security("15.2")
def test_of_fifty_who_press_the_button_at_once_one_is_counted(identity_app, link, office, anna):
    browsers = [enter(Visitor(identity_app), anna).get(link) for _ in range(50)]
    waiting = iter(browsers)

    answers = all_at_once(identity_app, 50, lambda: next(waiting).post("/invitation").status_code)

    # Every browser is the same person's: whoever comes late is in already.
    assert set(answers) == {200}
    assert len(ids_of_members(office)) == 1
