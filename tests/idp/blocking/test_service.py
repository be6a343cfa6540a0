"""The operator blocks an ID: it is out of everything at once, and nothing of it is lost."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from idp.blocking import service as blocking
from idp.events import IdpEvent
from idp.mails.service import Recipient
from idp.protocol import acr
from idp.sessions import service as sessions
from idp.sign_in.completion import complete
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.facts.models import Fact
from tenants.people import service as people
from tests.idp.sign_in.test_password import a_browser
from tests.idp.visitor import a_person

pytestmark = pytest.mark.usefixtures("identity_app")


@pytest.fixture
def anna():
    person_id = a_person()
    with db.reading() as session:
        return people.find(session, person_id)


def enter(person, now):
    with db.transaction() as session:
        return complete(
            session,
            person_id=person.id,
            recipient=Recipient(person.email, "en"),
            amr=[acr.PASSWORD, acr.MAILED_CODE],
            acr=acr.MAIL_CODE,
            browser=a_browser(),
            now=now,
        )


def is_signed_in(cookies, now):
    with db.reading() as session:
        return sessions.find_by_secret(session, cookies.session, now=now) is not None


def kinds():
    with db.reading() as session:
        return session.scalars(select(Fact.kind).order_by(Fact.number)).all()


@pytest.mark.product("ID-11")
def test_every_session_of_a_blocked_id_ends(anna, now):
    here, there = enter(anna, now), enter(anna, now)

    done = blocking.block(anna, reason="a court order", now=now)

    assert (done.is_news, done.sessions_ended) == (True, 2)
    assert not is_signed_in(here, now)
    assert not is_signed_in(there, now)


@pytest.mark.product("ID-11")
def test_unblocking_signs_nobody_in(anna, now):
    before = enter(anna, now)
    blocking.block(anna, reason="a court order", now=now)

    done = blocking.unblock(anna, reason="it was lifted", now=now + timedelta(minutes=1))

    assert done.is_news
    assert not is_signed_in(before, now + timedelta(minutes=1))
    assert is_signed_in(enter(anna, now + timedelta(minutes=1)), now + timedelta(minutes=1))


@pytest.mark.product("ID-11")
def test_a_session_that_began_in_the_moment_of_the_block_does_not_come_back(anna, now):
    blocking.block(anna, reason="a court order", now=now)
    raced = enter(anna, now)
    assert not is_signed_in(raced, now)

    blocking.unblock(anna, reason="it was lifted", now=now)

    assert not is_signed_in(raced, now)


@pytest.mark.security("17.1")
def test_the_audit_trail_says_why_and_the_mail_does_not(anna, identity_app, now):
    blocking.block(anna, reason="a court order", now=now)
    blocking.unblock(anna, reason="it was lifted", now=now)

    with db.reading() as session:
        rows = ledger.history(session, chain=person_chain(anna.id))

    told = {row.event: row.details["reason"] for row in rows if "reason" in row.details}
    assert told[IdpEvent.PERSON_BLOCKED] == "a court order"
    assert told[IdpEvent.PERSON_UNBLOCKED] == "it was lifted"
    assert {row.actor for row in rows if row.event in told} == {"operator"}


@pytest.mark.product("OP-5")
def test_block_and_unblock_are_facts_of_which_the_later_has_the_larger_number(anna, now):
    blocking.block(anna, reason="a court order", now=now)
    blocking.unblock(anna, reason="it was lifted", now=now)

    assert kinds() == ["person.blocked", "person.unblocked"]


def test_blocking_twice_is_no_news(anna, now):
    blocking.block(anna, reason="once", now=now)

    assert not blocking.block(anna, reason="twice", now=now).is_news
    assert kinds() == ["person.blocked"]


def test_an_id_that_is_not_blocked_can_not_be_unblocked(anna, now):
    assert not blocking.unblock(anna, reason="why not", now=now).is_news
    assert kinds() == []
