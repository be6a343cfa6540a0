"""The account in which somebody uses the application."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from consent.oauth import service as consents
from kernel import clock
from tenants.database import db
from tests.idp.provider import a_person, a_query, allow, an_app, answer_of, tokens_for
from tests.tenants.making import Made, a_member, an_account, change_member
from tests.two_ways.ways import Ways, same, sent


@pytest.mark.product("OP-3", "TEN-17")
def test_a_context_is_given_and_refused_the_same(ways: Ways, account: Made):
    app, person_id = an_app(first_party=True, application="crm"), a_person()
    a_member(account.id, person_id, roles=[account.admin_role])
    foreign = an_account(applications=["crm"])

    def asked(**changes: Any) -> TestResponse:
        return same(ways, "/authorize", **sent(ways, person_id, a_query(app, **changes)))

    for good in ({}, {"account": account.id}, {"prompt": "none"}):
        assert "code" in answer_of(asked(**good))
    company = {"account": account.id, "company": account.main_company}
    assert "code" in answer_of(asked(**company))
    assert ways.passed_by == 0
    for bad in ({"account": foreign.id}, {"account": "0" * 12}, {"company": account.main_company}):
        assert "error" in answer_of(asked(**bad))
    a_member(foreign.id, person_id)
    assert "/context?" in asked().headers["Location"]
    assert answer_of(asked(prompt="none"))["error"] == "interaction_required"
    assert "code" in answer_of(asked(account=foreign.id))


@pytest.mark.product("OP-3")
@pytest.mark.security("10.1")
def test_a_consent_counts_in_the_account_that_it_was_given_in_and_in_no_other(
    ways: Ways, account: Made
):
    theirs, person_id = an_app(application="crm"), a_person()
    other = an_account(applications=["crm"])
    for each in (account, other):
        a_member(each.id, person_id, roles=[each.admin_role])
    allow(theirs, person_id, scopes=("openid", "email"))

    def asked(account: str, **changes: Any) -> TestResponse:
        query = a_query(theirs, account=account, **changes)
        return same(ways, "/authorize", **sent(ways, person_id, query))

    for place in (account.id, other.id):
        assert answer_of(asked(place, prompt="none"))["error"] == "consent_required"
    allow(theirs, person_id, scopes=("openid", "email"), account=account.id)

    passed_by = ways.passed_by
    assert "code" in answer_of(asked(account.id))
    assert "code" in answer_of(asked(account.id, prompt="none"))
    assert ways.passed_by == passed_by
    assert answer_of(asked(other.id, prompt="none"))["error"] == "consent_required"
    assert "/consent?" in asked(other.id).headers["Location"]


@pytest.mark.security("7.3", "10.1")
def test_a_grant_in_one_account_stands_on_no_consent_of_another(ways: Ways, account: Made):
    theirs, person_id = an_app(application="crm"), a_person()
    a_member(account.id, person_id, roles=[account.admin_role])
    tokens = tokens_for(ways.flask, theirs, person_id=person_id, account=account.id)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    asked = {"method": "POST", "data": {"token": tokens["access_token"]}, "headers": theirs.basic}
    assert same(ways, "/userinfo", method="GET", headers=bearer).status_code == 200
    assert same(ways, "/introspect", **asked).get_json()["active"] is True

    with db.transaction() as session:
        consents.withdraw(session, person_id=person_id, client_id=theirs.id, now=clock.now())
    for elsewhere in (None, an_account(applications=["crm"]).id):
        scopes = ("openid", "email", "offline_access")
        allow(theirs, person_id, scopes=scopes, account=elsewhere)

    assert same(ways, "/userinfo", method="GET", headers=bearer).status_code == 401
    assert same(ways, "/introspect", **asked).get_json() == {"active": False}
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    refused = same(ways, "/token", method="POST", data=form, headers=theirs.basic)
    assert refused.get_json()["error"] == "invalid_grant"


@pytest.mark.product("OP-5")
@pytest.mark.security("7.3")
def test_a_context_is_told_and_ends_the_same(ways: Ways, account: Made):
    app, person_id = an_app(first_party=True, application="crm"), a_person()
    member = a_member(account.id, person_id, roles=[account.admin_role])
    tokens = tokens_for(ways.flask, app, person_id=person_id, account=account.id)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    asked = {"method": "POST", "headers": app.basic}

    told = same(ways, "/introspect", data={"token": tokens["access_token"]}, **asked).get_json()
    assert told["permissions"] == ["contacts:read"]
    assert same(ways, "/userinfo", method="GET", headers=bearer).get_json()["roles"] == ["admin"]
    change_member(account.id, member, state="blocked")

    assert same(ways, "/userinfo", method="GET", headers=bearer).status_code == 401
    for token in (tokens["access_token"], tokens["refresh_token"]):
        ended = same(ways, "/introspect", data={"token": token}, **asked)
        assert ended.get_json() == {"active": False}
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert same(ways, "/token", data=form, **asked).get_json()["error"] == "invalid_grant"
