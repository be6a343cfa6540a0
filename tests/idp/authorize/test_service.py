"""From a checked request to its answer, without a web server."""

import pytest
from flask import Flask

from idp.authorize import service
from idp.authorize.request import CannotAnswer, Refusal
from idp.authorize.service import Code, Page
from idp.clients import service as clients
from idp.flows import service as flows
from kernel.crypto import hash_token
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import a_person, a_signed_in, allow, an_app, an_authorization_request

BROWSER = hash_token("a browser")


def _answer(identity_app: Flask, asked, signed_in):
    with identity_app.test_request_context():
        with db.glancing() as at:
            plan = service.plan_new(
                at, asked, signed_in=signed_in, browser_hash=lambda: BROWSER, now=NOON
            )
        return service.carry_out(plan, now=NOON)


def _go_on(flow, signed_in):
    with db.glancing() as at:
        plan = service.plan_next(at, flow, signed_in=signed_in, now=NOON)
    return service.carry_out(plan, now=NOON)


def _signed_in(person_id=None):
    with db.transaction() as session:
        return a_signed_in(session, person_id or a_person(), now=NOON)


def test_nothing_missing_means_a_code(identity_app: Flask):
    asked = an_authorization_request(an_app(first_party=True))

    outcome = _answer(identity_app, asked, _signed_in())

    assert isinstance(outcome, Code)
    assert outcome.to == asked.to


@pytest.mark.product("OP-1")
@pytest.mark.security("10.1")
def test_ours_never_ask_and_others_do(identity_app: Flask):
    person_id = a_person()
    ours, theirs = an_app(first_party=True), an_app()

    for prompts in ((), ("consent",)):
        asked = an_authorization_request(ours, prompts=prompts)
        assert isinstance(_answer(identity_app, asked, _signed_in(person_id)), Code)
    page = _answer(identity_app, an_authorization_request(theirs), _signed_in(person_id))
    allow(theirs, person_id, scopes=("openid", "email", "offline_access"))
    code = _answer(identity_app, an_authorization_request(theirs), _signed_in(person_id))

    assert isinstance(page, Page)
    assert page.url.startswith("/consent?flow=")
    assert isinstance(code, Code)


def test_silence_is_kept_where_it_was_asked_for(identity_app: Flask):
    asked = an_authorization_request(an_app(), prompts=("none",))

    with pytest.raises(Refusal):
        _answer(identity_app, asked, None)


def test_a_client_that_was_switched_off_meanwhile_gets_nothing(identity_app: Flask):
    app = an_app(first_party=True)
    asked = an_authorization_request(app)
    with db.transaction() as session:
        clients.disable(session, app.id, now=NOON)

    with pytest.raises(CannotAnswer):
        _answer(identity_app, asked, _signed_in())


def test_a_flow_to_a_page_of_ours_ends_there(identity_app: Flask):
    signed_in = _signed_in()
    with db.transaction() as session:
        flow = flows.start(session, browser_hash=BROWSER, return_to="/account", now=NOON)

    with identity_app.test_request_context():
        outcome = _go_on(flow, signed_in)
        with pytest.raises(flows.FlowExpired):
            _go_on(flow, signed_in)

    assert outcome == Page("/account")


def test_a_flow_to_a_page_of_ours_asks_for_a_sign_in_first(identity_app: Flask):
    with db.transaction() as session:
        flow = flows.start(session, browser_hash=BROWSER, return_to="/account", now=NOON)

    with identity_app.test_request_context():
        outcome = _go_on(flow, None)

    assert isinstance(outcome, Page)
    assert outcome.url.startswith("/sign-in")
