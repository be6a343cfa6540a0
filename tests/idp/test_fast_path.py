"""The fast path and Flask give the same answer to every request, and leave the same behind."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.test import Client, TestResponse

from idp import logout
from idp.clients import service as clients
from idp.clients.models import Client as RegisteredRow
from idp.keys import service as keys
from idp.protocol import acr, jwt
from idp.sessions.models import BrowserSession
from idp.token import refresh_token
from kernel import clock
from kernel.observability import request_log
from kernel.observability.metrics import exposition
from tenants.database import db
from tenants.people.models import Person
from tests import programs
from tests.conftest import ON_POSTGRESQL, MakeDatabase
from tests.idp.provider import (
    API,
    CALLBACK,
    VERIFIER,
    App,
    a_browser,
    a_code,
    a_person,
    a_query,
    allow,
    an_app,
    answer_of,
    claims_of,
    header_of,
    tokens_for,
    trade_code,
)
from tests.idp.two_ways import FORM, TOUCHED, Ways, basic, rows, same, seen, whole
from tests.statements import asked_of
from tests.tenants.making import Made, a_member, an_account, an_application, change_member


@pytest.fixture
def ways(identity_app: Flask) -> Ways:
    keys.ensure_keys(now=clock.now())
    return Ways(identity_app)


@pytest.fixture(scope="module")
def lasting(make_database: MakeDatabase) -> Iterator[Ways]:
    """One program for all the requests that hypothesis thinks up."""
    for app in programs.identity(make_database):
        keys.ensure_keys(now=clock.now())
        yield Ways(app)


# The plain requests, and everything that may be wrong with them.


@pytest.mark.product("OP-1")
@pytest.mark.parametrize(
    "path",
    ["/jwks", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"],
)
def test_documents_are_the_same_bytes(ways: Ways, path: str):
    fast, flask = ways.fast.get(path, **whole({})), ways.flask.get(path, **whole({}))

    assert fast.get_data() == flask.get_data()
    assert seen(fast) == seen(flask)
    assert ways.passed_by == 0


def test_before_there_is_a_key_flask_makes_one(identity_app: Flask):
    ways = Ways(identity_app)

    assert not ways.takes("/jwks")
    assert ways.takes("/jwks")
    assert len(ways.fast.get("/jwks", **whole({})).get_json()["keys"]) == 2


@pytest.mark.product("OP-1")
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_machine_gets_the_same_token(ways: Ways, algorithm: str):
    app = an_app(access_token_signed_response_alg=algorithm)

    for fields in ({}, {"scope": "reports:read"}, {"resource": API}, {"scope": "openid"}):
        form = {"grant_type": "client_credentials"} | fields
        same(ways, "/token", method="POST", data=form, headers=app.basic)

    assert ways.passed_by == 0


def _bad_token_requests(
    app: App, other: App, public: App
) -> list[tuple[dict[str, Any], str | None]]:
    good = {"grant_type": "client_credentials"}
    mine = app.basic["Authorization"]
    return [
        (good, None),
        (good, basic(app.id, "wrong")),
        (good, basic("nobody-at-all", "wrong")),
        (good, basic("no such client!", "x")),
        (good, "Basic"),
        (good, "Basic ???"),
        (good, "Basic " + base64.b64encode(b"no colon").decode()),
        (good, "Bearer x"),
        (good, "Basic \xbf"),
        (good | {"client_id": other.id}, mine),
        (good | {"client_id": app.id, "client_secret": app.secret}, None),
        (good | {"client_id": app.id, "client_secret": app.secret}, mine),
        (good | {"client_id": app.id}, mine),
        (good | {"client_id": public.id}, None),
        (good | {"client_assertion": "a.b.c", "client_assertion_type": "x"}, None),
        (good | {"client_assertion": "a.b.c"}, mine),
        (good | {"scope": "unknown"}, mine),
        (good | {"scope": 'with "quotes"'}, mine),
        (good | {"resource": "https://elsewhere.example"}, mine),
        (good | {"resource": [API, "https://elsewhere.example"]}, mine),
        (good | {"scope": ["a", "b"]}, mine),
        (good | {"state": "x" * 2_001}, mine),
        (good | {"x" * 60: "a long name", "": ""}, mine),
        (good | {f"n{number}": "x" for number in range(61)}, mine),
        (good | {"scope": "zażółć"}, mine),
        (good | {"scope": "nul\0"}, mine),
        (good | {"scope": "two\nlines"}, mine),
        (good | {"scope": ""}, mine),
        ({}, mine),
        ({"grant_type": ""}, mine),
        ({"grant_type": "password", "username": "x"}, mine),
        ({"grant_type": ["client_credentials", "client_credentials"]}, mine),
        ({"grant_type": "refresh_token"}, mine),
        ({"grant_type": "refresh_token", "refresh_token": "nonsense"}, mine),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": public.id}, None),
        ({"grant_type": "authorization_code", "code": "nonsense"}, mine),
        ({"grant_type": "authorization_code"}, other.basic["Authorization"]),
    ]


@pytest.mark.security("7.1", "7.2")
def test_what_is_wrong_with_a_token_request_is_told_the_same(ways: Ways):
    app = an_app()
    other = an_app(token_endpoint_auth_method=clients.SECRET_POST)
    public = an_app(token_endpoint_auth_method=clients.NONE)
    only_codes = an_app(grant_types=(clients.AUTHORIZATION_CODE,))
    requests = _bad_token_requests(app, other, public)
    requests.append(
        ({"grant_type": "client_credentials"}, only_codes.basic["Authorization"]),
    )

    for form, authorization in requests:
        headers = {} if authorization is None else {"Authorization": authorization}
        same(ways, "/token", method="POST", data=form, headers=headers)


_ODD: list[dict[str, Any]] = [
    {"method": "GET"},
    {"method": "HEAD"},
    {"method": "PUT"},
    {"method": "OPTIONS"},
    {"method": "POST", "query_string": "grant_type=client_credentials"},
    {"method": "POST", "content_type": "application/json", "data": "{}"},
    {"method": "POST", "content_type": f"{FORM}; charset=utf-16", "data": b"grant_type=x"},
    {"method": "POST", "content_type": f"{FORM};charset=UTF-8", "data": b"grant_type=x"},
    {"method": "POST", "content_type": "multipart/form-data; boundary=x", "data": b"--x--"},
    {"method": "POST", "content_type": "", "data": b"grant_type=client_credentials"},
    {"method": "POST", "content_type": FORM, "data": b"grant_type=%ff&a=%zz&b"},
    {"method": "POST", "content_type": FORM, "data": b"\xc5\xbc=1"},
    {"method": "POST", "content_type": FORM, "data": b"&&=&a=b=c&grant_type"},
    {"method": "POST", "content_type": FORM, "data": b"a" * 20_000},
    {"method": "POST", "content_type": FORM, "data": b""},
    {"method": "POST", "content_type": FORM, "data": b"token=" + b"x." * 8_000},
    {"method": "POST", "headers": {"Cookie": "klucznik_session=x"}},
    {"method": "GET", "headers": {"Cookie": "klucznik_session=x"}},
    {"method": "GET", "headers": {"Authorization": "Bearer"}},
    {"method": "GET", "headers": {"Authorization": "Basic eDp5"}},
    {"method": "GET", "headers": {"Authorization": "Bearer a.b.c"}},
    {"method": "GET", "headers": {"Authorization": "bearer x"}},
    {"method": "GET", "headers": {"Accept": "application/json"}},
    {"method": "POST", "content_type": FORM, "data": b"access_token=x&access_token=y"},
    {
        "method": "POST",
        "content_type": FORM,
        "data": b"access_token=x",
        "headers": {"Authorization": "Bearer y"},
    },
    {"method": "GET", "base_url": "http://elsewhere.example"},
    {"method": "GET", "base_url": "http://LOCALHOST:9000"},
    {"method": "GET", "headers": {"X-Request-ID": "0123456789abcdef"}},
    {"method": "GET", "headers": {"X-Forwarded-Host": "elsewhere.example"}},
]


@pytest.mark.security("14.5", "15.1")
@pytest.mark.parametrize(
    "path", ["/token", "/introspect", "/userinfo", "/jwks", "/.well-known/openid-configuration"]
)
def test_odd_requests_are_answered_the_same(ways: Ways, path: str):
    for odd in _ODD:
        same(ways, path, **odd)
    same(ways, f"{path}/", method="GET")
    same(ways, f"/{path}", method="GET")
    same(ways, path.replace("e", "%65"), method="GET")


def test_a_body_without_a_length_or_shorter_than_told_is_left_to_flask(ways: Ways):
    for environ in (
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "1000"},
        {"SCRIPT_NAME": "/under"},
    ):
        good = {"method": "POST", "content_type": FORM, "data": b"grant_type=x&token=y"}
        before = ways.passed_by

        ways.fast.open("/introspect", **whole({**good, "environ_overrides": environ}))

        assert ways.passed_by == before + 1, environ


def _kinds_of_tokens(ways: Ways, app: App) -> list[str]:
    person_id = a_person(given_name="Ada", phone="+48600000000")
    mine = tokens_for(ways.flask, app, person_id=person_id)
    all_of_it = tokens_for(
        ways.flask, app, person_id=person_id, scopes=("openid", "profile", "email", "phone")
    )
    revoked = tokens_for(ways.flask, app)["access_token"]
    ways.flask.post("/revoke", data={"token": revoked}, headers=app.basic)
    machine = ways.flask.post(
        "/token", data={"grant_type": "client_credentials"}, headers=app.basic
    ).get_json()["access_token"]
    good = mine["access_token"]
    forged = good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB")
    key = keys.signing_key("ES256", now=clock.now())
    expired = jwt.sign(claims_of(good) | {"exp": 1}, key, typ=jwt.ACCESS_TOKEN)
    other_type = jwt.sign(claims_of(good), key, typ="JWT")
    return [
        *(good, all_of_it["access_token"], mine["refresh_token"], mine["id_token"], revoked),
        *(machine, forged, expired, other_type, "", "a.b.c", "..", "x" * 43, "ż", "a b"),
    ]


@pytest.mark.product("OP-1")
@pytest.mark.security("7.7", "7.8")
def test_tokens_of_all_kinds_are_introspected_and_taken_the_same(ways: Ways):
    app, stranger, public = (
        an_app(first_party=True),
        an_app(),
        an_app(token_endpoint_auth_method=clients.NONE),
    )

    for token in _kinds_of_tokens(ways, app):
        for who in (app, stranger):
            form = {"token": token, "token_type_hint": "access_token"}
            same(ways, "/introspect", method="POST", data=form, headers=who.basic)
        same(ways, "/introspect", method="POST", data={"token": token, "client_id": public.id})
        same(ways, "/userinfo", method="POST", data={"access_token": token})
        if token.isascii():
            same(ways, "/userinfo", method="GET", headers={"Authorization": f"Bearer {token}"})
    same(ways, "/introspect", method="POST", data={}, headers=app.basic)


@pytest.mark.security("7.3")
def test_a_token_ends_with_its_ground_on_both_ways(ways: Ways):
    """What the fast path remembers of a token is its signature, and nothing that can change."""

    def ends(end: Any) -> None:
        app, person_id = an_app(), a_person()
        token = tokens_for(ways.flask, app, person_id=person_id)["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        asked = {"method": "POST", "data": {"token": token}, "headers": app.basic}
        assert same(ways, "/userinfo", method="GET", headers=bearer).status_code == 200
        assert same(ways, "/introspect", **asked).get_json()["active"] is True

        end(app, person_id, token)

        assert same(ways, "/userinfo", method="GET", headers=bearer).status_code == 401
        ended = same(ways, "/introspect", **asked)
        assert ended.status_code == 401 or ended.get_json() == {"active": False}

    def block(_app: App, person_id: Any, _token: str) -> None:
        with db.transaction() as session:
            person = session.get(Person, person_id)
            assert person is not None
            person.status = "blocked"

    def disable(app: App, _person_id: Any, _token: str) -> None:
        with db.transaction() as session:
            clients.disable(session, app.id, now=clock.now())

    def sign_out(_app: App, person_id: Any, _token: str) -> None:
        with db.transaction() as session:
            logout.end_sessions(session, person_id=person_id, reason="x", now=clock.now())

    def withdraw(app: App, person_id: Any, _token: str) -> None:
        with db.transaction() as session:
            table = db.metadata.tables["oauth_consents"]
            session.execute(
                table.update().where(table.c.client_id == app.id).values(withdrawn_at=clock.now())
            )

    def revoke(app: App, _person_id: Any, token: str) -> None:
        ways.flask.post("/revoke", data={"token": token}, headers=app.basic)

    def withdraw_key(_app: App, _person_id: Any, token: str) -> None:
        keys.withdraw(header_of(token)["kid"], now=clock.now())

    for end in (block, disable, sign_out, withdraw, revoke, withdraw_key):
        ends(end)


@pytest.mark.security("7.1")
def test_a_changed_secret_counts_at_once(ways: Ways):
    app = an_app()
    form = {"grant_type": "client_credentials"}
    assert same(ways, "/token", method="POST", data=form, headers=app.basic).status_code == 200

    with db.transaction() as session:
        row = session.get(RegisteredRow, app.id)
        assert row is not None
        clients.update_metadata(session, app.id, now=clock.now(), scopes=("openid",))
        clients.rotate_secret(session, app.id, now=clock.now())
        secret = clients.rotate_secret(session, app.id, now=clock.now())

    assert same(ways, "/token", method="POST", data=form, headers=app.basic).status_code == 401
    renewed = same(
        ways,
        "/token",
        method="POST",
        data=form,
        headers={"Authorization": basic(app.id, secret)},
    )
    assert renewed.get_json()["scope"] == ""


# Somebody is signed in already, and an application sends their browser.


def _sent(ways: Ways, person_id: Any, query: Any, **more: Any) -> dict[str, Any]:
    """A browser with a session of this person, as an application sends it."""
    browser = a_browser(ways.app, person_id=person_id, **more)
    cookie = browser.client.get_cookie("klucznik_session")
    assert cookie is not None
    return {"query_string": query, "headers": {"Cookie": f"klucznik_session={cookie.value}"}}


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
    asked = _sent(ways, person_id, a_query(app, **changes))

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
    asked = _sent(ways, person_id, a_query(app, **changes), acr=acr.SINGLE_FACTOR)

    same(ways, "/authorize", **asked)

    assert ways.passed_by == 1


@pytest.mark.security("5.1", "5.5", "6.11")
def test_who_is_not_signed_in_gets_the_same_page(ways: Ways):
    app, person_id = an_app(first_party=True), a_person()
    mine, query = _sent(ways, person_id, a_query(app))["headers"]["Cookie"], a_query(app)
    ended = _sent(ways, person_id, query)["headers"]["Cookie"]
    with db.transaction() as session:
        logout.end_sessions(session, person_id=person_id, reason="x", now=clock.now())
    mine_now = _sent(ways, person_id, query)["headers"]["Cookie"]
    blocked = a_person()
    of_blocked = _sent(ways, blocked, query)["headers"]["Cookie"]
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
    asked = _sent(ways, person_id, a_query(theirs))
    assert "/consent?" in same(ways, "/authorize", **asked).headers["Location"]

    allow(theirs, person_id, scopes=("openid", "email"))

    assert "code" in answer_of(same(ways, "/authorize", **asked))
    assert ways.passed_by == 1
    wider = {**asked, "query_string": a_query(theirs, scope="openid email phone")}
    assert "/consent?" in same(ways, "/authorize", **wider).headers["Location"]


@pytest.mark.security("14.5", "15.1")
def test_an_odd_request_for_a_code_is_answered_the_same(ways: Ways):
    app, person_id = an_app(first_party=True), a_person()
    good = _sent(ways, person_id, a_query(app))
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


# What is left behind.


def _leaves(client: Client, act: Any) -> tuple[Any, dict[str, int]]:
    before = rows()
    answer = act(client)
    after = rows()
    return answer, {name: after[name] - before[name] for name in TOUCHED}


@pytest.mark.product("OP-1")
@pytest.mark.security("7.4")
@pytest.mark.parametrize("public", [False, True])
def test_refreshing_retrying_and_replaying_leave_the_same_behind(ways: Ways, public: bool):
    method = clients.NONE if public else clients.SECRET_BASIC
    app = an_app(first_party=True, token_endpoint_auth_method=method)
    mine = {"client_id": app.id} if public else {}
    headers = {} if public else app.basic

    def story(client: Client) -> Any:
        first = tokens_for(ways.flask, app)["refresh_token"]

        def use(token: str, **more: str) -> TestResponse:
            form = {"grant_type": "refresh_token", "refresh_token": token} | mine | more
            return client.post("/token", data=form, headers=headers, **whole({}))

        answers = [use(first)]
        second = answers[0].get_json()["refresh_token"]
        answers += [use(first), use(second, scope="openid"), use(first, scope="email"), use(second)]
        if not public:
            assert answers[1].get_data() == answers[0].get_data()
        return [seen(answer) for answer in answers]

    fast, flask = _leaves(ways.fast, story), _leaves(ways.flask, story)

    assert _without_sign_in(fast) == _without_sign_in(flask)
    assert ways.passed_by == 0


def _without_sign_in(told: Any) -> str:
    """Each story has a sign-in of its own: what it is called and when it was differs."""
    answers, changed = told

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: clean(each)
                for name, each in value.items()
                if name not in {"sub", "sid", "gid", "auth_time"}
            }
        if isinstance(value, list | tuple):
            return [clean(each) for each in value]
        return value

    return repr((clean(answers), changed))


@pytest.mark.product("OP-1")
def test_trading_a_code_and_replaying_it_leave_the_same_behind(ways: Ways):
    app = an_app()

    def story(client: Client) -> Any:
        person_id = a_person()
        allow(app, person_id, scopes=("openid", "email", "offline_access"))
        form = {
            "grant_type": "authorization_code",
            "code": a_code(app, now=clock.now(), person_id=person_id),
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        wrong = form | {"code_verifier": VERIFIER[::-1]}
        answers = [
            client.post("/token", data=each, headers=app.basic, **whole({}))
            for each in (wrong, form, form)
        ]
        assert [answer.status_code for answer in answers] == [400, 200, 400]
        return [seen(answer) for answer in answers]

    fast, flask = _leaves(ways.fast, story), _leaves(ways.flask, story)

    assert _without_sign_in(fast) == _without_sign_in(flask)
    assert ways.passed_by == 0


@pytest.mark.product("OP-1")
@pytest.mark.parametrize("prompt", [None, "none"])
def test_a_code_over_a_live_session_leaves_the_same_behind(ways: Ways, prompt: str | None):
    """That the session was used is noted, unless a program asked by itself."""
    app = an_app(first_party=True)
    began, later = clock.now(), clock.now() + timedelta(minutes=2)

    def story(client: Client) -> Any:
        person_id = a_person()
        asked = _sent(ways, person_id, a_query(app, prompt=prompt), now=began)
        with time_machine.travel(later, tick=False):
            answers = [client.get("/authorize", **whole(asked)) for _ in range(2)]
            trade_code(ways.app.test_client(), app, answer_of(answers[0])["code"])
        with db.reading() as session:
            seen_at = session.scalars(
                select(BrowserSession.last_seen_at).where(BrowserSession.person_id == person_id)
            ).one()
        return [seen(answer) for answer in answers], seen_at

    fast, flask = _leaves(ways.fast, story), _leaves(ways.flask, story)

    assert fast == flask
    assert fast[0][1] == (began if prompt else later)
    assert (fast[1]["grants"], fast[1]["application_sessions"], fast[1]["flows"]) == (2, 1, 0)
    assert ways.passed_by == 0


@pytest.mark.security("17.2")
def test_each_answer_is_counted_and_logged_once_by_its_route(ways: Ways):
    app = an_app()

    def counted(client: Client) -> tuple[float, list[dict[str, Any]]]:
        def count() -> float:
            label = 'http_requests_total{method="POST",program="idp",route="/token",status="200"} '
            return sum(
                float(line.rpartition(" ")[2])
                for line in exposition().decode().splitlines()
                if label in line
            )

        before, lines = count(), []
        with mock.patch.object(request_log, "write", lambda **fields: lines.append(fields)):
            answer = client.post(
                "/token",
                data={"grant_type": "client_credentials"},
                headers=app.basic,
                **whole({}),
            )
        assert lines[0].pop("request_id") == answer.headers["X-Request-ID"]
        lines[0].pop("seconds")
        return count() - before, lines

    assert counted(ways.fast) == counted(ways.flask)
    assert counted(ways.fast)[0] == 1


@pytest.mark.security("17.3")
def test_a_failure_is_answered_by_flask_and_happens_once(ways: Ways):
    ways.app.config["TESTING"] = False
    app = an_app()
    tries = []

    def fail(*_: Any, **__: Any) -> Any:
        tries.append(1)
        raise RuntimeError("the database went away")

    for client in (ways.fast, ways.flask):
        tries.clear()
        with mock.patch.object(refresh_token, "refresh", fail):
            answer = client.post(
                "/token",
                data={"grant_type": "refresh_token", "refresh_token": "x"},
                headers=app.basic,
                **whole({}),
            )
        assert answer.status_code == 500
        assert b"database" not in answer.get_data()
        assert len(tries) == 1


# What it costs: at most so many statements, whatever happens.


# Look-up, spending, the successor, one commit; PostgreSQL spends, adds and commits in one statement.
REFRESH = (2, 0) if ON_POSTGRESQL else (3, 1)


@pytest.mark.parametrize("first_party", [False, True])
def test_each_answer_asks_the_database_as_little_as_it_may(ways: Ways, first_party: bool):
    app = an_app(first_party=first_party)
    person_id = a_person()
    tokens = tokens_for(ways.flask, app, person_id=person_id)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    again = _sent(ways, person_id, a_query(app))
    machine = {"data": {"grant_type": "client_credentials"}, "headers": app.basic}
    asked_for = {"data": {"token": tokens["access_token"]}, "headers": app.basic}
    refreshing = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    budgets: list[tuple[str, dict[str, Any], int, int]] = [
        ("/.well-known/openid-configuration", {"method": "GET"}, 0, 0),
        ("/jwks", {"method": "GET"}, 1, 0),
        ("/token", {"method": "POST", **machine}, 1, 0),
        ("/introspect", {"method": "POST", **asked_for}, 1, 0),
        ("/userinfo", {"method": "GET", "headers": bearer}, 1, 0),
        ("/token", {"method": "POST", "data": refreshing, "headers": app.basic}, *REFRESH),
        # Versions, session, where it is needed consent; `sid` and code.
        ("/authorize", {"method": "GET", **again}, 4 if first_party else 5, 1),
    ]
    for path, request, statements, commits in budgets:
        if "refresh_token" not in request.get("data", {}):
            # What a process remembers is there.
            ways.fast.open(path, **whole(request))
        with asked_of(db.engine) as asked:
            answer = ways.fast.open(path, **whole(request))
        assert answer.status_code < 400
        assert (len(asked.statements), asked.commits, asked.objects) == (
            (statements, commits, [])
        ), (path, asked.statements)
    assert ways.passed_by == 0


# The account in which somebody uses the application.


@pytest.fixture
def account(ways: Ways) -> Made:
    an_application("crm", audience=API, permissions=("contacts:read",))
    return an_account(applications=["crm"])


@pytest.mark.product("OP-3", "TEN-17")
def test_a_context_is_given_and_refused_the_same(ways: Ways, account: Made):
    app, person_id = an_app(first_party=True, application="crm"), a_person()
    a_member(account.id, person_id, roles=[account.admin_role])
    foreign = an_account(applications=["crm"])

    def asked(**changes: Any) -> TestResponse:
        return same(ways, "/authorize", **_sent(ways, person_id, a_query(app, **changes)))

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


def test_a_context_costs_two_statements_more(ways: Ways, account: Made):
    app, person_id = an_app(first_party=True, application="crm"), a_person()
    a_member(account.id, person_id, roles=[account.admin_role])
    tokens = tokens_for(ways.flask, app, person_id=person_id, account=account.id)
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    asked_for = {"data": {"token": tokens["access_token"]}, "headers": app.basic}
    refreshing = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    again = _sent(ways, person_id, a_query(app, account=account.id))
    statements, commits = REFRESH
    budgets: list[tuple[str, dict[str, Any], int, int]] = [
        ("/introspect", {"method": "POST", **asked_for}, 1 + 2, 0),
        ("/userinfo", {"method": "GET", "headers": bearer}, 1 + 2, 0),
        (
            "/token",
            {"method": "POST", "data": refreshing, "headers": app.basic},
            statements + 2,
            commits,
        ),
        ("/authorize", {"method": "GET", **again}, 4 + 2, 1),
    ]
    for path, request, statements, commits in budgets:
        if path != "/token":
            ways.fast.open(path, **whole(request))
        with asked_of(db.engine) as asked:
            answer = ways.fast.open(path, **whole(request))
        assert answer.status_code < 400
        assert (len(asked.statements), asked.commits, asked.objects) == (
            (statements, commits, [])
        ), (path, asked.statements)
    assert ways.passed_by == 0


# Whatever somebody may think up.

_texts = st.text(max_size=20) | st.sampled_from(
    ["client_credentials", "refresh_token", "openid", API, "a.b.c", "%41", "+", "&=", "\x00", "é"]
)
_names = st.sampled_from(
    ["grant_type", "scope", "resource", "client_id", "client_secret", "token", "access_token"]
) | st.text(max_size=8)
_bodies = st.lists(st.tuples(_names, _texts), max_size=6).map(
    lambda pairs: urlencode(pairs, errors="replace").encode()
) | st.binary(max_size=60)


@pytest.mark.security("15.1", "20.6")
@settings(max_examples=80, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    path=st.sampled_from(["/token", "/introspect", "/userinfo"]),
    body=_bodies,
    content_type=st.sampled_from([FORM, FORM, FORM, f"{FORM}; charset=UTF-8", "text/plain", ""]),
    authorization=st.none()
    | st.sampled_from(["Bearer a.b.c", "Basic eDp5", "Basic OjpweA==", "Basic /w=="])
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
)
@example(path="/token", body=b"grant_type=client_credentials", content_type=FORM, authorization="")
@example(path="/userinfo", body=b"access_token=%", content_type=FORM, authorization=None)
def test_whatever_is_sent_both_answer_the_same(
    lasting: Ways, path: str, body: bytes, content_type: str, authorization: str | None
):
    headers = {} if authorization is None else {"Authorization": authorization}

    same(lasting, path, method="POST", data=body, content_type=content_type, headers=headers)


@pytest.fixture(scope="module")
def lasting_session(lasting: Ways) -> tuple[App, str]:
    """An application that asks again and again, and the cookie of somebody who is signed in."""
    app = an_app(first_party=True)
    return app, _sent(lasting, a_person(), "")["headers"]["Cookie"]


_asked_names = st.sampled_from(
    [
        *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state"),
        *("prompt", "max_age", "acr_values", "flow", "code_challenge", "resource", ""),
        *("account", "company"),
    ]
)
_asked_values = st.text(max_size=8) | st.sampled_from(
    [*("code", "openid", "none", "consent", "query", "0", "60", "en", CALLBACK, API, "", "0" * 12)]
)


@pytest.mark.security("15.1", "20.6")
@settings(max_examples=80, suppress_health_check=list(HealthCheck), deadline=None)
@given(
    changed=st.dictionaries(_asked_names, st.none() | _asked_values, max_size=3),
    added=st.lists(st.tuples(_asked_names, _asked_values), max_size=2),
    cookie=st.sampled_from(["{0}", "{0}", "a=b; {0}", "{0};{0}", "{0}; a", "x{0}", '{0}; b="c"'])
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
)
@example(changed={}, added=[], cookie="{0}")
def test_whatever_an_application_asks_both_answer_the_same(
    lasting: Ways,
    lasting_session: tuple[App, str],
    changed: dict[str, str | None],
    added: list[tuple[str, str]],
    cookie: str,
):
    app, session_cookie = lasting_session
    query = urlencode([*a_query(app, **changed).items(), *added], errors="replace")
    headers = {"Cookie": cookie.replace("{0}", session_cookie)}

    same(lasting, "/authorize", query_string=query, headers=headers)
