"""What the link opens; the pages over it are in `test_views`."""

import pytest

from idp.credentials.email_code import Purpose
from idp.flows import service as flows
from idp.invitations import service
from idp.invitations.service import Over, SomebodyElse
from idp.mailbox import service as mailbox
from idp.sessions import service as sessions
from idp.sessions.browser import Browser
from idp.sessions.service import Whereabouts
from kernel import clock
from kernel.crypto import hash_token
from tenants.database import db
from tests.idp.visitor import a_person
from tests.tenants import making

ANNA, NEW = "anna@example.com", "new@example.com"


@pytest.fixture
def browser():
    return Browser(hash_token("browser"), None, None, Whereabouts(), "request", "en")


@pytest.fixture
def text_for(invite, mailroom):
    def act(email):
        invite(email)
        return mailroom.link_to(email).partition("token=")[2]

    return act


def someone(email):
    now = clock.now()
    with db.transaction() as session:
        secret = sessions.start(
            session,
            person_id=a_person(email),
            amr=["pwd"],
            acr="1",
            where=Whereabouts(),
            now=now,
        )
        return sessions.find_by_secret(session, secret, now=now)


def flow_of(way):
    with db.reading() as session:
        return flows.load(session, way.flow_id, hash_token("browser"), clock.now())


def register(text, browser):
    return service.register(text, browser=browser, return_to="/invitation", now=clock.now())


@pytest.mark.security("3.9")
def test_nobody_accepts_without_a_session_of_that_address(text_for):
    text, somebody = text_for(NEW), someone(ANNA)

    for me in (None, somebody):
        with pytest.raises(SomebodyElse):
            service.accept(text, me=me, now=clock.now())
    assert service.look(text, now=clock.now()).invitation.email == NEW


@pytest.mark.security("3.9")
def test_whoever_is_in_the_account_and_comes_with_a_spent_link_goes_on_there(text_for, office):
    me = someone(ANNA)
    text = text_for(ANNA)

    assert service.accept(text, me=me, now=clock.now()) == office.id
    assert service.accept(text, me=me, now=clock.now()) == office.id
    with pytest.raises(Over):
        service.accept(text, me=someone(NEW), now=clock.now())


def test_how_an_address_is_spelled_is_of_no_account(text_for):
    text = text_for("Anna@example.com")

    assert service.is_for(service.look(text, now=clock.now()), someone(ANNA))


@pytest.mark.security("3.5", "3.9")
def test_the_link_proves_the_mailbox_for_a_registration_and_for_no_sign_in(text_for, browser):
    a_person(ANNA)
    new, known = (register(text_for(email), browser) for email in (NEW, ANNA))

    assert new.registers
    assert mailbox.is_proved(flow_of(new), Purpose.REGISTRATION)
    assert not known.registers
    assert flow_of(known).mailbox_proven_at is None
    assert flow_of(known).email == ANNA


def test_who_was_added_and_never_came_registers(text_for, browser):
    making.a_person(NEW)

    assert register(text_for(NEW), browser).registers


@pytest.mark.security("3.10")
def test_it_lets_its_own_address_register_alone(text_for, browser):
    text, other = text_for(NEW), text_for("other@example.com")
    flow = str(register(text, browser).flow_id)
    now = clock.now()

    def lets(link, flow_id=flow):
        return service.lets_register(link, flow_id, browser=browser, now=now)

    assert lets(text)
    assert not lets(other)
    assert not lets(text, None)
    assert not lets("", flow)
    way = service.sign_in(text, browser=browser, return_to="/", now=now)
    assert not lets(text, str(way.flow_id))


def test_a_closed_account_offers_nothing(text_for, office):
    text = text_for(NEW)
    making.change_account(office.id, status="closed")

    with pytest.raises(Over):
        service.look(text, now=clock.now())
