"""The account in which somebody uses the application."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.idp.provider import a_person, a_query, an_app, answer_of, tokens_for
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
