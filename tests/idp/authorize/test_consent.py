"""The question that a flow holds for the consent page."""

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from idp.authorize.consent import AuthorizationQuestions
from idp.clients import service as clients
from idp.flows.models import Flow
from kernel import clock
from kernel.errors import NotFound
from tenants.database import db
from tests.idp.provider import a_browser, a_person, an_app


def test_there_is_no_question_without_a_flow(identity_app: Flask):
    with identity_app.test_request_context("/consent"), pytest.raises(HTTPException) as sent:
        AuthorizationQuestions().question(None, now=clock.now())

    assert sent.value.response is not None
    assert sent.value.response.headers["Location"].startswith("/authorize")


def test_an_application_that_was_switched_off_asks_nothing(identity_app: Flask):
    app = an_app()
    browser = a_browser(identity_app, person_id=a_person())
    address = browser.ask(app).headers["Location"]
    with db.transaction() as session:
        clients.disable(session, app.id, now=clock.now())

    with browser.client:
        response = browser.client.get(address)

    assert response.status_code == NotFound.status


@pytest.mark.security("10.1")
def test_the_answer_is_noted_in_the_flow_and_the_request_stays(identity_app: Flask):
    identity_app.config["WTF_CSRF_ENABLED"] = False
    person_id = a_person()
    browser = a_browser(identity_app, person_id=person_id)
    address = browser.ask(an_app(), state="s").headers["Location"]

    browser.client.post(address, data={"answer": "refuse", "person": str(person_id)})

    with db.reading() as session:
        kept = session.scalars(select(Flow)).one().request or {}
    assert kept["consent_answer"] == "refused"
    assert kept["state"] == "s"
