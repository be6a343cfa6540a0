"""What is too long for a token is fetched with it."""

import pytest

from idp.contexts import claims
from tests.idp.provider import API, a_browser, an_app, answer_of, claims_of, trade_code
from tests.tenants.making import a_member, a_person, an_account, an_application, change_member

MANY = [f"things{letter * 20}:do{other * 20}" for letter in "abcdefghij" for other in "abcdefghij"]


def _fetch(browser, address, token):
    headers = {"Authorization": f"Bearer {token}"}
    return browser.client.get(address, headers=headers)


@pytest.fixture
def browser(identity_app):
    return a_browser(identity_app, person_id=a_person("anna@example.com"))


@pytest.mark.product("OP-3")
def test_a_list_that_is_too_long_for_a_token_is_fetched_with_it(browser):
    an_application("crm", audience=API, permissions=MANY)
    app = an_app(first_party=True, application="crm")
    account = an_account(applications=["crm"])
    member = a_member(account.id, browser.person_id, roles=[account.admin_role])
    code = answer_of(browser.ask(app, resource=API))["code"]
    token = trade_code(browser.client, app, code).get_json()["access_token"]

    told = claims_of(token)
    fetched = _fetch(browser, told["permissions_uri"], token)
    change_member(account.id, member, state="blocked")
    refused = _fetch(browser, told["permissions_uri"], token)

    assert "permissions" not in told
    assert told["roles"] == ["admin"]
    assert told["permissions_uri"].endswith(claims.WHERE_LISTED)
    assert fetched.get_json() == {
        "tenant_id": account.id,
        "roles": ["admin"],
        "permissions": sorted(MANY),
    }
    assert fetched.headers["Cache-Control"] == "no-store"
    assert (refused.status_code, refused.get_json()["error"]) == (401, "invalid_token")


def test_a_token_without_a_context_has_nothing_to_fetch(browser):
    app = an_app(first_party=True)
    code = answer_of(browser.ask(app))["code"]
    token = trade_code(browser.client, app, code).get_json()["access_token"]

    refused = _fetch(browser, claims.WHERE_LISTED, token)

    assert (refused.status_code, refused.get_json()["error"]) == (403, "insufficient_scope")


@pytest.mark.security("7.8")
@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
def test_who_brings_no_good_token_learns_nothing(browser, token):
    assert _fetch(browser, claims.WHERE_LISTED, token).status_code == 401
