from datetime import timedelta
from uuid import UUID

import pytest

from idp.credentials.email_code import Purpose
from idp.mails.service import Recipient
from idp.sign_in.mailed_code import CODES_TO_PERSON, send_code, wait
from tenants.database import db
from tests.idp.sign_in.test_password import a_flow
from tests.idp.visitor import a_person


@pytest.mark.product("ID-6")
@pytest.mark.product("OPS-4")
@pytest.mark.parametrize(
    ("language", "subject"),
    [("pl", "to Twój kod do logowania"), ("en", "is your code to sign in")],
)
def test_the_code_comes_in_the_language_of_its_reader(
    identity_app, now, mailroom, language, subject
):
    person_id = a_person()
    flow_id = UUID(a_flow(now))

    with db.transaction() as session:
        send_code(
            session,
            flow_id=flow_id,
            person_id=person_id,
            recipient=Recipient("anna@example.com", language),
            now=now,
        )

    mail = mailroom.to("anna@example.com")
    assert mail.subject.endswith(subject)
    assert mail.subject[:8] in mail.text
    assert mail.subject[:8] in mail.html


@pytest.mark.security("3.11")
@pytest.mark.parametrize("purpose", [Purpose.SIGN_IN, Purpose.LOST_FACTORS])
def test_past_the_hourly_limit_no_mail_goes_and_the_wait_is_known(
    identity_app, now, mailroom, purpose
):
    person_id, flow_id = a_person(), UUID(a_flow(now))
    limit = CODES_TO_PERSON[purpose].limit

    def send_and_look():
        with db.transaction() as session:
            refusal = send_code(
                session,
                flow_id=flow_id,
                person_id=person_id,
                recipient=Recipient("anna@example.com", "en"),
                purpose=purpose,
                now=now,
            )
            return refusal, wait(session, person_id=person_id, purpose=purpose, now=now)

    answers = [send_and_look() for _ in range(limit + 1)]

    assert answers[: limit - 1] == [(None, None)] * (limit - 1)
    assert answers[limit - 1] == (None, 3600)
    assert answers[limit][0].retry_after(now) == 3600
    assert len(mailroom.deliver()) == limit
    with db.reading() as session:
        later = now + timedelta(hours=1)
        assert wait(session, person_id=person_id, purpose=purpose, now=later) is None
