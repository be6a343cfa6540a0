"""The question that a flow holds for the consent page, and what its answer is good for.

Somebody else's application is allowed something in one account at a time.
"""

import re

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from consent.oauth.models import OAuthConsent
from idp.authorize.consent import AuthorizationQuestions
from idp.clients import service as clients
from idp.flows.models import Flow
from kernel import clock
from kernel.errors import NotFound
from tenants.database import db
from tests.idp.contexts.walking import Walker, tokens_of
from tests.idp.provider import API, a_browser, a_person, allow, an_app, answer_of, claims_of
from tests.tenants.making import a_company, a_member, an_account, an_application

SCOPES = ("openid", "email")


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


@pytest.fixture
def anna(identity_app):
    return a_person()


@pytest.fixture
def theirs(identity_app):
    """Somebody else's application, which works in accounts."""
    an_application("crm", audience=API, permissions=["contacts:read"])
    return an_app(name="Kalendarz", application="crm")


@pytest.fixture
def browser(identity_app, anna):
    return a_browser(identity_app, person_id=anna)


@pytest.fixture
def account(theirs, anna):
    """An account in which Anna could use the application."""
    made = an_account("Zielony Dom", applications=["crm"])
    a_member(made.id, anna, roles=[made.admin_role])
    return made


@pytest.fixture
def other(account, anna):
    """A second one."""
    made = an_account("Biuro Żak", applications=["crm"])
    a_member(made.id, anna, roles=[made.admin_role])
    return made


def _given():
    with db.reading() as session:
        return sorted(session.scalars(select(OAuthConsent.account)))


def _hidden(page):
    """What a form of a page holds besides its buttons."""
    named = re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', page)
    assert named
    return dict(named)


@pytest.mark.product("OP-3")
@pytest.mark.security("10.1")
def test_each_account_is_asked_for_by_name_and_remembered_alone(
    identity_app, browser, theirs, account, other
):
    walker = Walker(identity_app, browser)

    walker.get(browser.ask(theirs, account=account.id).headers["Location"])
    assert "Zielony Dom" in walker.words
    assert "Biuro Żak" not in walker.words
    walker.submit("/consent", answer="allow")
    first = tokens_of(browser, theirs, walker.response)

    assert claims_of(first["access_token"])["tenant_id"] == account.id
    assert _given() == [account.id]
    assert "code" in answer_of(browser.ask(theirs, account=account.id, prompt="none"))
    elsewhere = browser.ask(theirs, account=other.id, prompt="none")
    assert answer_of(elsewhere)["error"] == "consent_required"
    walker.get(browser.ask(theirs, account=other.id).headers["Location"])
    assert "Biuro Żak" in walker.words
    walker.submit("/consent", answer="allow")
    assert sorted([account.id, other.id]) == _given()
    assert "code" in answer_of(browser.ask(theirs, account=other.id, prompt="none"))


def test_the_page_names_the_company_too(identity_app, browser, theirs, account, anna):
    office = an_account("Biuro Żak", applications=["crm"])
    company = a_company(office.id, "Żak Transport")
    a_member(office.id, anna, roles=[office.admin_role])
    walker = Walker(identity_app, browser)

    walker.get(browser.ask(theirs, account=office.id, company=company).headers["Location"])

    assert walker.path.startswith("/consent?")
    assert "Biuro Żak" in walker.words
    assert "Żak Transport" in walker.words


def test_ours_ask_in_no_account(browser, account, other):
    app = an_app(first_party=True, application="crm")
    for place in (account, other):
        assert "code" in answer_of(browser.ask(app, account=place.id, prompt="none"))


@pytest.mark.security("10.1")
def test_what_was_allowed_without_an_account_counts_in_none(browser, theirs, account, anna):
    allow(theirs, anna, scopes=SCOPES)

    refused = answer_of(browser.ask(theirs, account=account.id, prompt="none"))

    assert refused["error"] == "consent_required"


@pytest.mark.security("6.11", "10.1")
def test_a_page_about_one_account_allows_nothing_in_another(browser, theirs, account, other):
    flow = browser.ask(theirs).headers["Location"].partition("flow=")[2]
    _choose(browser, flow, account)
    page = browser.client.get(f"/consent?flow={flow}").get_data(as_text=True)

    # In another tab.
    _choose(browser, flow, other)
    posted = browser.client.post(f"/consent?flow={flow}", data={**_hidden(page), "answer": "allow"})

    assert posted.headers["Location"].startswith("/consent?")
    assert _given() == []


@pytest.mark.security("10.1")
def test_an_answer_that_was_asked_for_once_more_is_for_the_account_that_was_named(
    browser, theirs, account, other, anna
):
    for place in (account, other):
        allow(theirs, anna, scopes=SCOPES, account=place.id)
    flow = browser.ask(theirs, prompt="consent").headers["Location"].partition("flow=")[2]
    _choose(browser, flow, account)
    page = browser.client.get(f"/consent?flow={flow}").get_data(as_text=True)
    browser.client.post(f"/consent?flow={flow}", data={**_hidden(page), "answer": "allow"})

    _choose(browser, flow, other)
    on = browser.client.get(f"/authorize?flow={flow}")

    assert on.headers["Location"].startswith("/consent?")


def test_nothing_is_asked_before_an_account_is_chosen(browser, theirs, account, other):
    flow = browser.ask(theirs).headers["Location"].partition("flow=")[2]

    early = browser.client.get(f"/consent?flow={flow}")

    assert early.status_code == 303
    assert early.headers["Location"].startswith("/authorize")


def _choose(browser, flow, account):
    page = browser.client.get(f"/context?flow={flow}").get_data(as_text=True)
    answer = {**_hidden(page), "account": account.id}
    assert browser.client.post(f"/context?flow={flow}", data=answer).status_code == 303
