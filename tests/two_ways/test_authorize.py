"""Somebody is signed in already, and an application sends their browser."""

from typing import Any
from urllib.parse import urlencode

import pytest

from idp import logout
from idp.protocol import acr
from kernel import clock
from tenants.database import db
from tenants.people.models import Person
from tests.idp.provider import API, a_person, a_query, allow, an_app, answer_of, trade_code
from tests.two_ways.ways import Ways, same, sent


@pytest.mark.product("OP-1")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"state": None, "nonce": None},
        {"state": "-._~ +%&=#?/", "scope": "openid"},
        {"state": "s" * 2_000},
        {"scope": None},
        {"prompt": "none"},
        {"prompt": "consent"},
        {"max_age": "3600"},
        {"acr_values": acr.TWO_FACTOR},
        {"resource": [API, API]},
        {"ui_locales": "en", "login_hint": "somebody@else.example", "display": "popup"},
        {"response_mode": "query", "unknown": "x", "": ""},
    ],
)
def test_a_live_session_gets_the_same_code(ways: Ways, changes: dict[str, Any]):
    app, person_id = an_app(first_party=True), a_person()
    asked = sent(ways, person_id, a_query(app, **changes))

    answer = same(ways, "/authorize", **asked)

    assert answer.status_code == 303
    assert ways.passed_by == 0
    code = answer_of(answer)["code"]
    assert trade_code(ways.app.test_client(), app, code).status_code == 200


@pytest.mark.product("OP-1")
@pytest.mark.security("6.1", "6.8", "7.3", "10.1")
@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "login"},
        {"prompt": "select_account"},
        {"prompt": "none login"},
        {"max_age": "0"},
        {"acr_values": acr.TWO_FACTOR},
        {"id_token_hint": "a.b.c"},
        {"response_mode": "form_post"},
        {"response_mode": "fragment"},
        {"response_type": "token"},
        {"code_challenge": None},
        {"code_challenge_method": "plain"},
        {"resource": "https://elsewhere.example"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": None},
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": None, "flow": "00000000-0000-0000-0000-000000000000"},
        {"state": ["a", "b"]},
        {"state": "ż"},
        {"state": "s" * 2_001},
        {"nonce": "two\nlines"},
        {"request": "a.b.c"},
    ],
)
def test_what_a_code_is_no_answer_to_is_left_to_the_view(ways: Ways, changes: dict[str, Any]):
    app, person_id = an_app(first_party=True), a_person()
    asked = sent(ways, person_id, a_query(app, **changes), acr=acr.SINGLE_FACTOR)

    same(ways, "/authorize", **asked)

    assert ways.passed_by == 1


@pytest.mark.security("5.1", "5.5", "6.11")
def test_who_is_not_signed_in_gets_the_same_page(ways: Ways):
    app, person_id = an_app(first_party=True), a_person()
    mine, query = sent(ways, person_id, a_query(app))["headers"]["Cookie"], a_query(app)
    ended = sent(ways, person_id, query)["headers"]["Cookie"]
    with db.transaction() as session:
        logout.end_sessions(session, person_id=person_id, reason="x", now=clock.now())
    mine_now = sent(ways, person_id, query)["headers"]["Cookie"]
    blocked = a_person()
    of_blocked = sent(ways, blocked, query)["headers"]["Cookie"]
    with db.transaction() as session:
        person = session.get(Person, blocked)
        assert person is not None
        person.status = "blocked"
    cookies = [
        *(None, "", "klucznik_session=", "klucznik_session=x", mine, ended, of_blocked),
        *(f"x={mine_now}", f"{mine_now}x", f'klucznik_session="{mine_now.partition("=")[2]}"x'),
        *(f"klucznik_session=x; {mine_now}", mine_now.replace("klucznik", "__Host-klucznik")),
    ]

    for cookie in cookies:
        headers = {} if cookie is None else {"Cookie": cookie}
        answer = same(ways, "/authorize", query_string=query, headers=headers)
        assert answer.headers["Location"].startswith("/sign-in?flow="), cookie
    assert ways.passed_by == len(cookies)
    for cookie in (mine_now, f"{mine_now}; {ended}", f"a=b; {mine_now}; c=d"):
        answer = same(ways, "/authorize", query_string=query, headers={"Cookie": cookie})
        assert "code" in answer_of(answer), cookie
    assert ways.passed_by == len(cookies)


@pytest.mark.security("10.1")
def test_consent_is_looked_at_again_each_time(ways: Ways):
    theirs, person_id = an_app(), a_person()
    asked = sent(ways, person_id, a_query(theirs))
    assert "/consent?" in same(ways, "/authorize", **asked).headers["Location"]

    allow(theirs, person_id, scopes=("openid", "email"))

    assert "code" in answer_of(same(ways, "/authorize", **asked))
    assert ways.passed_by == 1
    wider = {**asked, "query_string": a_query(theirs, scope="openid email phone")}
    assert "/consent?" in same(ways, "/authorize", **wider).headers["Location"]


@pytest.mark.security("14.5", "15.1")
def test_an_odd_request_for_a_code_is_answered_the_same(ways: Ways):
    app, person_id = an_app(first_party=True), a_person()
    good = sent(ways, person_id, a_query(app))
    odd: list[dict[str, Any]] = [
        {"method": "HEAD"},
        {"method": "OPTIONS"},
        {"method": "POST", "data": {}},
        {"base_url": "http://elsewhere.example"},
        {"base_url": "http://LOCALHOST:9000"},
        {"query_string": urlencode(a_query(app)) + "&state=%ff"},
        {"query_string": urlencode(a_query(app)) + "&x=%zz&%41&=&&"},
        {"query_string": urlencode(a_query(app)) + "&y=\xc5\xbc"},
        {"environ_overrides": {"SCRIPT_NAME": "/under"}},
        {"environ_overrides": {"RAW_URI": "/%61uthorize"}},
    ]

    for changes in odd:
        same(ways, "/authorize", **{**good, **changes})
    same(ways, "/authorize/", **good)
    same(ways, "//authorize", **good)
