"""What programs ask by themselves: documents, tokens, and what is told of them."""

import base64
from typing import Any

import pytest

from idp import logout
from idp.clients import service as clients
from idp.clients.models import Client as RegisteredRow
from idp.keys import service as keys
from idp.protocol import jwt
from kernel import clock
from tenants.database import db
from tenants.people.models import Person
from tests.idp.provider import API, App, a_person, an_app, claims_of, header_of, tokens_for
from tests.two_ways.ways import FORM, Ways, basic, same, seen, whole


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
