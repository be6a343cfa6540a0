"""Pages of the portal and the CRM that are in an account show nothing of it to who is not at home.

Every rule with a context in it, by the map of addresses: a new page is tried without being named.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import Text, cast, select
from werkzeug.routing import Rule

from relying_party.contexts.context import Context
from tests import programs
from tests.conftest import MakeDatabase
from tests.relying_party.browsers import Browser
from tests.relying_party.strict_provider import ACCOUNT, COMPANY, OTHER_ACCOUNT, StrictProvider

pytestmark = [pytest.mark.security("13.7", "13.1", "20.3"), pytest.mark.product("TEN-9", "OP-3")]

CANARY = "Kanarek i Synowie"
COMPANY_CANARY = "Firma Sad"
PERMISSION_CANARY = "canary:read"
ROLE_CANARY = "rola-kanarek"
SECRETS = (CANARY, COMPANY_CANARY, PERMISSION_CANARY, ROLE_CANARY)
CONTEXTS = [Context(ACCOUNT), Context(ACCOUNT, COMPANY)]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# A token of a form that belongs to nobody: a request that changes something is refused without one.
FORGED = {"csrf_token": "forged"}


@dataclass
class Party:
    """A program, and a provider that has accounts of two kinds: the victim's, and one's own."""

    app: Flask
    provider: StrictProvider

    def addresses(self) -> list[tuple[str, str]]:
        """Every method and address with a context in it."""
        adapter = self.app.url_map.bind("localhost")
        return [
            (method, adapter.build(rule.endpoint, _gaps(rule, context), method=method))
            for rule in self.app.url_map.iter_rules()
            if "context" in rule.arguments
            for method in METHODS
            if method in (rule.methods or ())
            for context in CONTEXTS
        ]

    def known(self) -> set[tuple[object, ...]]:
        """What the program knows of the victim's account: the grants for it, and what they tell."""
        db = self.app.extensions["sqlalchemy"]
        grants = db.metadata.tables["grants"]
        told = select(grants.c.id, grants.c.context, cast(grants.c.facts, Text))
        with db.reading() as session:
            rows = session.execute(told.where(grants.c.context.startswith(ACCOUNT)))
            return {tuple(row) for row in rows}


def _gaps(rule: Rule, context: Context) -> dict[str, object]:
    """Something made up in every other gap."""
    made_up = {"UUIDConverter": "00000000-0000-0000-0000-000000000000"}
    return {
        name: context if name == "context" else made_up.get(type(gap).__name__, 1)
        for name, gap in rule._converters.items()
    }


@pytest.fixture(scope="module", params=["portal", "crm"])
def party(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Iterator[Party]:
    with StrictProvider().serving() as provider:
        started = getattr(programs, request.param)
        for app in started(make_database, issuer=provider.issuer):
            yield Party(app, provider)
        assert provider.problems == []


@pytest.fixture(autouse=True)
def accounts(party: Party) -> None:
    """The victim's account with canaries, and an account of one's own."""
    party.provider.accounts = {
        ACCOUNT: {"name": CANARY, "roles": [ROLE_CANARY], "permissions": [PERMISSION_CANARY]},
        OTHER_ACCOUNT: {"name": "Biuro Lis", "roles": ["admin"], "permissions": ["contacts:read"]},
    }
    party.provider.blocked = set()
    party.provider.entered = {"crm": OTHER_ACCOUNT}


def nobody(party: Party) -> Browser:
    return Browser(party.app, party.provider)


def somebody_of_another_account(party: Party) -> Browser:
    """At home, with every right there, in an account that is not the victim's."""
    browser = Browser(party.app, party.provider)
    browser.sign_in()
    sent_off = browser.get(f"/a/{OTHER_ACCOUNT}")
    if sent_off.status_code == 303:
        browser.come_back(browser.begin(sent_off.location))
    assert "Biuro Lis" in browser.get(f"/a/{OTHER_ACCOUNT}").text
    party.provider.blocked = {ACCOUNT}
    return browser


def somebody_without_an_account(party: Party) -> Browser:
    """Signed in, and the provider lets them into no account at all."""
    browser = Browser(party.app, party.provider)
    browser.sign_in()
    party.provider.blocked = {ACCOUNT, OTHER_ACCOUNT}
    return browser


def blocked_member(party: Party) -> Browser:
    """Worked in the account until a moment ago; the program has heard that this is over."""
    browser = _member(party)
    party.provider.blocked = {ACCOUNT}
    _run_out(party)
    return browser


def _member(party: Party) -> Browser:
    """Somebody who works in the victim's account, and in its company."""
    browser = Browser(party.app, party.provider)
    browser.sign_in()
    for context in CONTEXTS:
        sent_off = browser.get(f"/a/{context}")
        if sent_off.status_code == 303:
            browser.come_back(browser.begin(sent_off.location))
    return browser


def _run_out(party: Party) -> None:
    """What a security event does: the provider's word for the context is over."""
    db = party.app.extensions["sqlalchemy"]
    grants, tokens = (db.metadata.tables[name] for name in ("grants", "access_tokens"))
    held = select(grants.c.id).where(grants.c.context.startswith(ACCOUNT))
    with db.transaction() as session:
        session.execute(tokens.delete().where(tokens.c.grant_id.in_(held)))


STRANGERS = [nobody, somebody_of_another_account, somebody_without_an_account, blocked_member]


def test_there_are_pages_in_an_account(party):
    """Else what follows would prove nothing."""
    addresses = party.addresses()

    assert ("GET", f"/a/{ACCOUNT}") in addresses
    assert ("GET", f"/a/{ACCOUNT}/c/{COMPANY}/permissions") in addresses


def test_whoever_is_at_home_sees_the_account_on_its_pages(party):
    browser = _member(party)

    pages = {path: browser.get(path).text for method, path in party.addresses() if method == "GET"}

    assert {
        path for path, text in pages.items() if not any(one in text for one in SECRETS)
    } == set()


@pytest.mark.parametrize("arrive", STRANGERS, ids=lambda stranger: stranger.__name__)
def test_a_stranger_sees_nothing_of_an_account_and_changes_nothing(party, arrive):
    browser = arrive(party)
    before = party.known()

    for method, path in party.addresses():
        answer = browser.client.open(
            path,
            method=method,
            base_url=browser.base,
            data=None if method == "GET" else FORGED,
        )

        where = (arrive.__name__, method, path, answer.status_code)
        assert answer.status_code in {303, 400, 401, 403, 404, 405}, where
        said = answer.text + str(answer.headers)
        assert [one for one in SECRETS if one in said] == [], where
    # Who was at home has nothing left of it; nobody else had anything.
    lost = before - party.known()
    assert party.known() <= before
    assert {context for _, context, _ in lost} == (
        {str(one) for one in CONTEXTS} if arrive is blocked_member else set()
    )


@pytest.mark.parametrize("arrive", STRANGERS[1:], ids=lambda stranger: stranger.__name__)
def test_the_way_over_the_sign_in_leads_a_stranger_into_no_account(party, arrive):
    browser = arrive(party)

    for method, path in party.addresses():
        if method != "GET":
            continue
        sent_off = browser.get(path)
        if arrive is blocked_member and sent_off.status_code == 403:
            # The page that was open is told that this is over; opened anew, it asks the provider.
            sent_off = browser.get(path)
        assert sent_off.status_code == 303, path
        answer = browser.come_back(browser.begin(sent_off.location))

        said = answer.text + str(answer.headers)
        assert [one for one in SECRETS if one in said] == [], path
        again = browser.get(path)
        assert again.status_code == 303, path
        assert [one for one in SECRETS if one in again.text] == [], path
