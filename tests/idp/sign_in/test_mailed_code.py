from uuid import UUID

import pytest

from idp.mails.service import Recipient
from idp.sign_in.mailed_code import send_code
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
