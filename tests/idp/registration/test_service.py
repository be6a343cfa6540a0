import pytest

from idp.credentials.email_code import Purpose
from idp.credentials.password import Problem
from idp.flows import service as flows
from idp.registration import service
from idp.registration.service import MailboxNotProved
from idp.sign_in.completion import Cookies
from tenants.database import db
from tenants.people.service import EmailTaken
from tests.idp.race import all_at_once
from tests.idp.sign_in.test_password import a_browser
from tests.idp.visitor import PASSWORD, a_person

pytestmark = pytest.mark.usefixtures("identity_app")


def a_proved_flow(now, purpose=Purpose.REGISTRATION, email="new@example.com"):
    with db.transaction() as session:
        flow = flows.start(session, browser_hash=b"b" * 32, email=email, now=now)
        flow.mailbox_email, flow.mailbox_proven_at, flow.mailbox_proven_for = email, now, purpose
        return str(flow.id)


def finish(flow_id, now, typed=PASSWORD):
    return service.finish(flow_id, typed, browser=a_browser(), now=now)


@pytest.mark.security("2.7")
@pytest.mark.parametrize("purpose", [None, Purpose.RESET])
def test_without_a_proof_for_registration_there_is_no_id(now, purpose):
    with pytest.raises(MailboxNotProved):
        finish(a_proved_flow(now, purpose), now)


def test_a_bad_password_makes_no_id(now):
    assert finish(a_proved_flow(now), now, "short") is Problem.TOO_SHORT


def test_an_address_that_has_an_id_gets_no_second_one(now):
    a_person("new@example.com")

    with pytest.raises(EmailTaken):
        finish(a_proved_flow(now), now)


@pytest.mark.security("15.2")
def test_of_many_who_finish_one_registration_at_once_one_gets_the_id(identity_app, now):
    flow_id = a_proved_flow(now)

    answers = all_at_once(identity_app, 10, lambda: finish(flow_id, now))

    assert sum(isinstance(answer, Cookies) for answer in answers) == 1
    assert sum(isinstance(answer, EmailTaken) for answer in answers) == 9
