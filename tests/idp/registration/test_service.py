import pytest

from idp.credentials import passkeys
from idp.credentials.ceremonies import PasskeyRefused
from idp.credentials.email_code import Purpose
from idp.credentials.password import Problem
from idp.flows import service as flows
from idp.registration import service
from idp.registration.service import Finished, MailboxNotProved
from idp.sign_in.completion import Cookies
from tenants.database import db
from tenants.people import service as people
from tenants.people.service import EmailTaken
from tests.idp.race import all_at_once
from tests.idp.security_key import VERIFIED, SecurityKey
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


def a_passkey_for(flow_id, now, key=None, **bent):
    options = service.ask_for_passkey(flow_id, browser=a_browser(), now=now)
    return (key or SecurityKey()).make(options, **bent)


def finish_with(flow_id, text, now):
    return service.finish_with_passkey(flow_id, text, name="Laptop", browser=a_browser(), now=now)


@pytest.mark.product("ID-1")
def test_a_passkey_takes_the_passwords_place(now):
    flow_id, key = a_proved_flow(now), SecurityKey()

    finished = finish_with(flow_id, a_passkey_for(flow_id, now, key), now)

    assert len(finished.codes) == 10
    with db.reading() as session:
        found = passkeys.find(session, key.credential_id)
        person = people.find_by_email(session, "new@example.com")
    assert (found.person_id, found.name, found.user_handle) == (
        person.id,
        "Laptop",
        key.user_handle,
    )


@pytest.mark.security("2.7")
@pytest.mark.parametrize("purpose", [None, Purpose.RESET])
def test_without_a_proof_for_registration_no_passkey_is_asked_for(now, purpose):
    with pytest.raises(MailboxNotProved):
        a_passkey_for(a_proved_flow(now, purpose), now)


@pytest.mark.security("4.8")
@pytest.mark.parametrize(
    "bent",
    [
        {"type": "webauthn.get"},
        {"challenge": "b3RoZXI"},
        {"origin": "https://evil.example"},
        {"without_flags": VERIFIED},
    ],
)
def test_a_passkey_that_fails_a_check_makes_no_id(now, bent):
    flow_id = a_proved_flow(now)
    text = a_passkey_for(flow_id, now, **bent)

    with pytest.raises(PasskeyRefused):
        finish_with(flow_id, text, now)

    with db.reading() as session:
        assert people.find_by_email(session, "new@example.com") is None


@pytest.mark.security("4.8")
def test_a_passkey_for_one_registration_is_worthless_in_another(now):
    text = a_passkey_for(a_proved_flow(now, email="one@example.com"), now)

    with pytest.raises(PasskeyRefused):
        finish_with(a_proved_flow(now, email="two@example.com"), text, now)


@pytest.mark.security("15.2")
def test_of_many_with_a_passkey_at_once_one_gets_the_id(identity_app, now):
    flow_id = a_proved_flow(now)
    text = a_passkey_for(flow_id, now)

    answers = all_at_once(identity_app, 10, lambda: finish_with(flow_id, text, now))

    assert sum(isinstance(answer, Finished) for answer in answers) == 1
    assert sum(isinstance(answer, (PasskeyRefused, EmailTaken)) for answer in answers) == 9
