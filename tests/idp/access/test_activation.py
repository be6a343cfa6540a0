from datetime import timedelta

import pytest

from idp.access.activation import enter
from idp.access.service import How
from idp.events import IdpEvent
from idp.not_me import locks
from idp.not_me.locks import Locked, Reason
from idp.protocol import acr
from idp.sessions import devices
from idp.sessions import service as sessions
from idp.sessions.service import Whereabouts
from idp.sign_in import throttle
from idp.sign_in.throttle import Guesser
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people import service as people
from tests.idp.sign_in.test_password import a_browser, a_device
from tests.idp.visitor import a_person
from tests.tenants.acting import facts

pytestmark = pytest.mark.usefixtures("identity_app")

ANNA = "anna@example.com"


def enter_as(person_id, now, how=How.WELCOME_LINK):
    with db.transaction() as session:
        person = people.find(session, person_id)
        assert person is not None
        return enter(session, person, how=how, browser=a_browser(), now=now)


@pytest.mark.product("ID-9")
@pytest.mark.product("ID-10")
@pytest.mark.parametrize("how", How)
def test_one_is_signed_in_by_the_password_alone(now, how):
    cookies = enter_as(a_person(), now, how)

    with db.reading() as session:
        me = sessions.find_by_secret(session, cookies.session, now=now)
    assert (me.acr, me.amr, me.auth_time) == (acr.SINGLE_FACTOR, (acr.PASSWORD,), now)


@pytest.mark.product("TEN-7")
def test_the_accounts_that_added_the_person_see_that_they_came(now):
    person_id = a_person()

    enter_as(person_id, now)

    assert ("person.came", None, person_id) in facts()


@pytest.mark.security("3.8")
def test_whatever_was_open_before_is_closed(now):
    person_id = a_person()
    device = a_device(person_id, now, remember=True)
    with db.transaction() as session:
        before = sessions.start(
            session,
            person_id=person_id,
            amr=[acr.PASSWORD],
            acr=acr.SINGLE_FACTOR,
            where=Whereabouts(),
            now=now,
        )

    enter_as(person_id, now + timedelta(minutes=1))

    with db.reading() as session:
        assert sessions.find_by_secret(session, before, now=now) is None
        known = devices.find(session, person_id=person_id, secret=device)
    assert known is None or not known.is_remembered(now)


@pytest.mark.security("2.2")
def test_guesses_of_others_do_not_meet_the_new_password(now):
    guesser = Guesser(email_key=ANNA, device_id=None, place="192.0.2.9", tries_from_place=300)
    person_id = a_person()
    with db.transaction() as session:
        for _ in range(5):
            throttle.take(session, throttle.password_tries(guesser), now=now)

    enter_as(person_id, now)

    with db.transaction() as session:
        assert throttle.take(session, throttle.password_tries(guesser), now=now).count == 1


@pytest.mark.product("ID-7")
def test_a_mail_welcomes_and_carries_the_way_out_for_whoever_it_was_not(now, mailroom):
    enter_as(a_person(), now)

    (mail,) = mailroom.deliver()
    assert mail.subject == "Your password is set"
    assert "It was not you?" in mail.text
    assert "/not-me?token=" in mail.text


def test_a_locked_id_lets_nobody_in_here_either(now, mailroom):
    person_id = a_person()
    with db.transaction() as session:
        locks.lock(session, person_id=person_id, reason=Reason.OPERATOR, now=now)

    with pytest.raises(Locked):
        enter_as(person_id, now)

    assert mailroom.deliver() == []


@pytest.mark.security("17.1")
def test_the_ledger_says_by_what(now):
    person_id = a_person()

    enter_as(person_id, now, How.TEMPORARY_PASSWORD)

    with db.reading() as session:
        rows = ledger.history(session, chain=person_chain(person_id))
    used = [row for row in rows if row.event == IdpEvent.ACCESS_USED]
    assert [(row.actor, row.details) for row in used] == [
        (str(person_id), {"how": "temporary-password"})
    ]
