from datetime import timedelta

import pytest

from idp.credentials import password
from idp.credentials.email_code import Purpose
from idp.credentials.password import Problem
from idp.recovery import service
from idp.recovery.service import MailboxNotProved
from tenants.database import db
from tests.idp.race import all_at_once
from tests.idp.registration.test_service import a_proved_flow
from tests.idp.sign_in.test_password import a_browser
from tests.idp.visitor import NEW_PASSWORD, a_person

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
