"""What a token says of its context, and that it is worth nothing once that has gone."""

import pytest

from idp.contexts import claims
from idp.protocol import acr
from kernel import clock
from kernel.ids import new_id
from tenants.applications.rights import Right
from tenants.standing.service import HeldRole
from tests.idp.contexts.walking import WRITE, introspect, tokens_of, userinfo
from tests.idp.provider import (
    API,
    ISSUER,
    a_browser,
    an_app,
    answer_of,
    claims_of,
    trade,
    trade_code,
)
from tests.tenants.making import (
    a_company,
    a_member,
    a_role,
    an_account,
    an_application,
    change_account,
    change_company,
    change_member,
    change_role,
    remove_member,
    take,
    unassign,
    untick,
)
from tests.tenants.standing.test_scope import a_standing

READ, USERS = Right("crm", "contacts:read"), Right("accounts", "users:read")
ROLES = (
    HeldRole(new_id(), "Sprzedaż", False, False, None, frozenset({READ, USERS})),
    HeldRole(new_id(), "Biuro", False, False, "c" * 16, frozenset({Right("crm", "a:b")})),
)


def _of(**changes):
    facts = {
        "company": None,
        "application": "crm",
        "own_application": "crm",
        "scopes": ("openid",),
    } | changes
    return claims.of(a_standing(roles=ROLES), **facts)


@pytest.mark.product("OP-3")
@pytest.mark.parametrize(
    ("changes", "permissions"),
    [
        ({}, ["contacts:read"]),
        ({"company": "c" * 16}, ["a:b", "contacts:read"]),
        ({"application": "accounts"}, []),
        ({"application": "accounts", "scopes": ("openid", "accounts")}, ["users:read"]),
        ({"application": "accounts", "scopes": ("users:read",)}, ["users:read"]),
        ({"application": "accounts", "scopes": ("users:manage",)}, []),
        ({"application": None}, []),
        ({"application": None, "own_application": None}, []),
    ],
)
def test_permissions_are_the_audiences_narrowed_to_what_the_client_may_request(
    changes, permissions
):
    assert _of(**changes)["permissions"] == permissions


def test_roles_are_those_that_count_there():
    assert _of()["roles"] == ["Sprzedaż"]
    assert _of(company="c" * 16)["roles"] == ["Biuro", "Sprzedaż"]


def test_the_place_is_named_as_far_as_there_is_one():
    assert claims.place(None, None) == {}
    assert claims.place("a" * 12, None) == {"tenant_id": "a" * 12}
    assert claims.place("a" * 12, "c" * 16) == {"tenant_id": "a" * 12, "company_id": "c" * 16}


def test_a_list_of_more_than_four_kilobytes_becomes_the_place_where_it_is():
    told = {"tenant_id": "a" * 12, "roles": ["admin"], "permissions": ["x" * 4_092]}

    fits = claims.for_token(told, issuer="https://id.example")
    told["permissions"] = ["x" * 4_093]
    short = claims.for_token(told, issuer="https://id.example")

    assert fits["permissions"] == ["x" * 4_092]
    assert short == {
        "tenant_id": "a" * 12,
        "roles": ["admin"],
        "permissions_uri": "https://id.example/userinfo/context",
    }


def test_names_are_told_as_far_as_they_are_known():
    assert claims.named(None) == {}
    assert claims.named(a_standing()) == {"tenant_name": "Zielony Dom"}


def _ends(change):
    """Everything that has to end a grant, as a test case."""
    return pytest.param(change, id=change.__name__.strip("_").replace("_", " "))


def _blocked(made, member, _role):
    change_member(made.id, member, state="blocked")


def _pending_again(made, member, _role):
    change_member(made.id, member, state="pending")


def _removed(made, member, _role):
    remove_member(made.id, member)


def _account_suspended(made, _member, _role):
    change_account(made.id, status="suspended")


def _account_closed(made, _member, _role):
    change_account(made.id, status="closed")


def _application_taken_away(made, _member, _role):
    take(made.id, "crm")


def _company_archived(made, _member, _role):
    change_company(made.id, made.main_company, archived_at=clock.now())


def _signed_out(made, member, _role):
    change_member(made.id, member, signed_out_at=clock.now())


def _roles_taken_away(made, member, _role):
    unassign(made.id, member)


def _account_wants_strong(made, _member, _role):
    change_account(made.id, second_factor="strong")


def _role_wants_strong(made, _member, role):
    change_role(made.id, role, second_factor="strong")


@pytest.mark.product("OP-5", "TEN-6")
@pytest.mark.security("7.3")
@pytest.mark.parametrize(
    "change",
    [
        _ends(_blocked),
        _ends(_pending_again),
        _ends(_removed),
        _ends(_account_suspended),
        _ends(_account_closed),
        _ends(_application_taken_away),
        _ends(_company_archived),
        _ends(_signed_out),
        _ends(_roles_taken_away),
        _ends(_account_wants_strong),
        _ends(_role_wants_strong),
    ],
)
def test_what_was_granted_ends_at_the_next_use_when(identity_app, app, anna, change):
    made = an_account(applications=["crm"])
    role = a_role(made.id, rights=[READ])
    member = a_member(made.id, anna, roles=[(role, made.main_company)])
    browser = a_browser(identity_app, person_id=anna, acr=acr.MAIL_CODE, amr=["pwd", "mca"])
    ask = {"account": made.id, "company": made.main_company, "scope": "openid offline_access"}
    tokens = tokens_of(browser, app, browser.ask(app, **ask))
    code = answer_of(browser.ask(app, **ask))["code"]
    assert introspect(browser, app, tokens["access_token"])["active"]

    change(made, member, role)

    assert userinfo(browser, tokens["access_token"]).status_code == 401
    assert introspect(browser, app, tokens["access_token"]) == {"active": False}
    assert introspect(browser, app, tokens["refresh_token"]) == {"active": False}
    refused = trade(browser.client, app, "refresh_token", refresh_token=tokens["refresh_token"])
    assert refused.get_json()["error"] == "invalid_grant"
    assert trade_code(browser.client, app, code).get_json()["error"] == "invalid_grant"


@pytest.mark.product("OP-5")
def test_a_role_that_changed_is_felt_at_the_next_use(browser, app, anna, crm):
    made = an_account(applications=["crm"])
    role = a_role(made.id, rights=[READ, WRITE])
    a_member(made.id, anna, roles=[role])
    tokens = tokens_of(browser, app, browser.ask(app, scope="openid offline_access"))

    untick(made.id, role)

    now = introspect(browser, app, tokens["access_token"])
    told = userinfo(browser, tokens["access_token"]).get_json()
    renewed = trade(browser.client, app, "refresh_token", refresh_token=tokens["refresh_token"])
    claims = claims_of(renewed.get_json()["access_token"])
    assert claims_of(tokens["access_token"])["permissions"] == ["contacts:read", "contacts:write"]
    assert now["permissions"] == told["permissions"] == claims["permissions"] == []


@pytest.mark.product("OP-3")
def test_a_company_brings_the_roles_of_the_account_and_its_own(browser, app, anna, crm):
    made = an_account(applications=["crm"])
    everywhere = a_role(made.id, "Everywhere", rights=[READ])
    there = a_role(made.id, "There", rights=[WRITE])
    a_member(made.id, anna, roles=[everywhere, (there, made.main_company)])

    def held(**named):
        tokens = tokens_of(browser, app, browser.ask(app, account=made.id, **named))
        claims = claims_of(tokens["access_token"])
        return claims["roles"], claims["permissions"]

    assert held() == (["Everywhere"], ["contacts:read"])
    assert held(company=made.main_company) == (
        ["Everywhere", "There"],
        ["contacts:read", "contacts:write"],
    )
    assert held(company=a_company(made.id)) == (["Everywhere"], ["contacts:read"])


@pytest.mark.product("OP-3")
@pytest.mark.parametrize(
    ("scope", "permissions"),
    [
        ("openid accounts", ["users:manage", "users:read"]),
        ("openid users:read", ["users:read"]),
        ("openid", []),
    ],
)
def test_a_token_for_another_audience_carries_what_the_client_asked_for(
    browser, crm, anna, scope, permissions
):
    app = an_app(
        first_party=True,
        application="crm",
        audiences=(API, f"{ISSUER}/api"),
        scopes=("openid", "accounts", "users:read"),
    )
    made = an_account(applications=["crm"])
    a_member(made.id, anna, roles=[made.admin_role])

    asked = browser.ask(app, scope=scope, resource=f"{ISSUER}/api")
    tokens = tokens_of(browser, app, asked)

    claims = claims_of(tokens["access_token"])
    assert claims["aud"] == f"{ISSUER}/api"
    assert claims["permissions"] == permissions


@pytest.mark.product("TEN-17")
def test_no_token_is_given_for_an_application_that_the_account_does_not_have(
    browser, crm, anna, account
):
    an_application("other", audience="https://other.example")
    app = an_app(first_party=True, application="crm", audiences=("https://other.example", API))

    code = answer_of(browser.ask(app))["code"]
    refused = trade_code(browser.client, app, code, resource="https://other.example")
    taken = trade_code(browser.client, app, code, resource=API)

    assert refused.get_json()["error"] == "invalid_target"
    assert claims_of(taken.get_json()["access_token"])["aud"] == API
