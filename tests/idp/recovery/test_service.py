from datetime import timedelta

import pytest

from idp.credentials import password
from idp.credentials.email_code import Purpose
from idp.credentials.password import Problem
from idp.mailbox import service as mailbox
from idp.recovery import service
from idp.recovery.service import MailboxNotProved
from idp.sessions import devices
from idp.sessions.service import Whereabouts
from idp.sign_in import throttle
from idp.sign_in.throttle import Guesser
from kernel.limits import Refusal, Taken
from tenants.database import db
from tests.idp.race import all_at_once
from tests.idp.registration.test_service import a_proved_flow
from tests.idp.sign_in.test_password import a_browser
from tests.idp.visitor import NEW_PASSWORD, a_person
from tests.tenants.acting import facts

pytestmark = pytest.mark.usefixtures("identity_app")

ANNA = "anna@example.com"


def finish(flow_id, now, typed=NEW_PASSWORD):
    return service.finish(flow_id, typed, browser=a_browser(), now=now)


@pytest.mark.security("2.7")
@pytest.mark.parametrize("purpose", [None, Purpose.REGISTRATION])
def test_without_a_proof_for_a_reset_no_password_is_set(now, purpose):
    a_person()

    with pytest.raises(MailboxNotProved):
        finish(a_proved_flow(now, purpose, ANNA), now)


def test_a_proof_of_a_mailbox_without_an_id_sets_nothing(now):
    with pytest.raises(MailboxNotProved):
        finish(a_proved_flow(now, Purpose.RESET, "nobody@example.com"), now)


def test_a_bad_password_leaves_the_proof_unused(now):
    a_person(password_=None)
    flow_id = a_proved_flow(now, Purpose.RESET, ANNA)

    assert finish(flow_id, now, "short") is Problem.TOO_SHORT
    assert finish(flow_id, now) is None


@pytest.mark.product("TEN-7")
def test_who_was_added_to_an_account_comes_in_by_a_reset_and_the_account_sees_it(now):
    person_id = a_person(password_=None)

    finish(a_proved_flow(now, Purpose.RESET, ANNA), now)

    assert ("person.came", None, person_id) in facts()


@pytest.mark.security("3.1")
def test_a_proof_from_before_a_change_of_password_is_void(now):
    person_id = a_person(password_=None)
    flow_id = a_proved_flow(now, Purpose.RESET, ANNA)
    with db.transaction() as session:
        password.store(session, person_id=person_id, hash_="x", now=now + timedelta(seconds=1))

    with pytest.raises(MailboxNotProved):
        finish(flow_id, now + timedelta(seconds=2))


@pytest.mark.security("15.2")
def test_of_many_who_use_one_proof_at_once_one_sets_the_password(identity_app, now):
    a_person(password_=None)
    flow_id = a_proved_flow(now, Purpose.RESET, ANNA)

    answers = all_at_once(identity_app, 10, lambda: finish(flow_id, now))

    assert answers.count(None) == 1
    assert sum(isinstance(answer, MailboxNotProved) for answer in answers) == 9


@pytest.mark.security("3.1")
def test_a_code_that_was_mailed_before_a_change_of_password_resets_nothing(now, mailroom):
    person_id = a_person(password_=None)
    asked = mailbox.ask(
        None, purpose=Purpose.RESET, email=ANNA, browser=a_browser(), return_to="/", now=now
    )
    code = mailroom.code_to(ANNA)
    with db.transaction() as session:
        password.store(session, person_id=person_id, hash_="x", now=now + timedelta(seconds=1))
    later = now + timedelta(seconds=2)
    flow_id = str(asked.flow_id)
    assert mailbox.prove_by_code(
        flow_id, purpose=Purpose.RESET, text=code, browser=a_browser(), now=later
    )

    with pytest.raises(MailboxNotProved):
        finish(flow_id, later)


@pytest.mark.security("2.1")
@pytest.mark.security("2.2")
def test_after_a_hundred_wrong_codes_a_reset_opens_the_door_again(now):
    person_id = a_person(password_=None)
    tries = throttle.code_tries(person_id=person_id, device_id=None)
    moment = now
    with db.transaction() as session:
        while not isinstance(taken := throttle.take(session, tries, now=moment), Refusal) or (
            not taken.for_good
        ):
            moment += timedelta(minutes=15)

    finish(a_proved_flow(moment, Purpose.RESET, ANNA), moment)

    with db.transaction() as session:
        assert isinstance(throttle.take(session, tries, now=moment), Taken)


@pytest.mark.security("2.1")
def test_a_reset_gives_no_new_tries_below_the_ceiling(now):
    person_id = a_person(password_=None)
    tries = throttle.code_tries(person_id=person_id, device_id=None)
    with db.transaction() as session:
        for _ in range(10):
            throttle.take(session, tries, now=now)

    finish(a_proved_flow(now, Purpose.RESET, ANNA), now)

    with db.transaction() as session:
        assert isinstance(throttle.take(session, tries, now=now), Refusal)


@pytest.mark.security("2.2")
def test_a_reset_opens_the_owners_own_device_again(now):
    person_id = a_person(password_=None)
    with db.transaction() as session:
        device = devices.recognise(
            session, person_id=person_id, secret=None, remember=False, where=Whereabouts(), now=now
        )
        guesser = Guesser(ANNA, device.id, "192.0.2.7", 300)
        for _ in range(11):
            taken = throttle.take(session, throttle.password_tries(guesser), now=now)
    assert isinstance(taken, Refusal)

    flow_id = a_proved_flow(now, Purpose.RESET, ANNA)
    service.finish(flow_id, NEW_PASSWORD, browser=a_browser(device_secret=device.secret), now=now)

    with db.transaction() as session:
        again = throttle.take(session, throttle.password_tries(guesser), now=now)
    assert isinstance(again, Taken)
