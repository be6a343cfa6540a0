"""A client proves itself by one method, the one that it registered."""

import base64
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.clients import authentication
from idp.clients import service as clients
from idp.clients.authentication import ASSERTION_TYPE, Presented, why_refuse_assertion
from idp.protocol.errors import InvalidClient, InvalidRequest
from kernel import clock
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import ISSUER, App, an_app


def _basic(text: bytes) -> str:
    return f"Basic {base64.b64encode(text).decode()}"


def _authenticate(presented: Presented, now=NOON):
    return authentication.authenticate(presented, issuer=ISSUER, now=now)


@pytest.mark.product("OP-1")
def test_a_secret_in_the_header_is_form_decoded():
    presented = authentication.read(_basic(b"app%2Bone:s%25+cret%3A"), {})

    assert presented == Presented("app+one", clients.SECRET_BASIC, "s% cret:")


@pytest.mark.product("OP-1")
def test_a_secret_in_the_form():
    presented = authentication.read(None, {"client_id": "app", "client_secret": "secret"})

    assert presented == Presented("app", clients.SECRET_POST, "secret")


@pytest.mark.security("7.1")
@pytest.mark.parametrize(
    ("authorization", "form"),
    [
        (_basic(b"app:secret"), {"client_id": "app", "client_secret": "secret"}),
        (_basic(b"app:secret"), {"client_assertion_type": ASSERTION_TYPE}),
        (None, {"client_id": "app", "client_secret": "secret", "client_assertion": "a.b.c"}),
        (_basic(b"app:secret"), {"client_id": "other"}),
    ],
)
def test_two_methods_in_one_request_are_refused(authorization, form):
    with pytest.raises(InvalidRequest):
        authentication.read(authorization, form)


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic %%%",
        "Basic \xff\xfe",
        _basic(b"no colon"),
        _basic(b":secret"),
        _basic(b"app\xff:secret"),
        _basic(b"app%FF:secret"),
        _basic(b"app%00:secret"),
        "Bearer abc",
        "Basic " + "A" * 5_000,
    ],
)
def test_a_header_that_can_not_be_read_proves_nothing(header):
    """Authlib answers a non-UTF-8 Basic header with a 500."""
    with pytest.raises(InvalidClient):
        authentication.read(header, {})


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"client_assertion": "a.b.c", "client_assertion_type": "other"},
        {"client_assertion": "a.b.c", "client_assertion_type": ASSERTION_TYPE},
        {"client_assertion_type": ASSERTION_TYPE},
        {"client_assertion": "e30.e30.", "client_assertion_type": ASSERTION_TYPE},
    ],
)
def test_a_form_that_proves_nothing(form):
    with pytest.raises(InvalidClient):
        authentication.read(None, form)


@pytest.mark.security("7.1")
def test_only_the_registered_method_counts(identity_app: Flask):
    app = an_app()
    posting = an_app(token_endpoint_auth_method=clients.SECRET_POST)

    assert _authenticate(Presented(app.id, clients.SECRET_BASIC, app.secret or "")).id == app.id
    for presented in (
        Presented(app.id, clients.SECRET_POST, app.secret or ""),
        Presented(app.id, clients.NONE),
        Presented(posting.id, clients.SECRET_BASIC, posting.secret or ""),
        Presented(app.id, clients.SECRET_BASIC, "a guess"),
        Presented(app.id, clients.SECRET_BASIC, ""),
        Presented("nobody", clients.SECRET_BASIC, "x"),
    ):
        with pytest.raises(InvalidClient):
            _authenticate(presented)


def test_a_secret_ends_when_its_overlap_does(identity_app: Flask):
    app = an_app()
    with db.transaction() as session:
        clients.rotate_secret(session, app.id, now=NOON, overlap=timedelta(hours=1))
    presented = Presented(app.id, clients.SECRET_BASIC, app.secret or "")

    assert _authenticate(presented, now=NOON + timedelta(minutes=59))
    with pytest.raises(InvalidClient):
        _authenticate(presented, now=NOON + timedelta(hours=1))


def _assert(app: App, **claims):
    presented = authentication.read(None, app.assertion(**claims))
    return _authenticate(presented, now=clock.now())


@pytest.mark.product("OP-1")
@pytest.mark.security("7.1")
def test_an_assertion_opens_one_request(identity_app: Flask):
    app = an_app(token_endpoint_auth_method=clients.PRIVATE_KEY_JWT)
    form = app.assertion()

    assert _authenticate(authentication.read(None, form), now=clock.now()).id == app.id
    with pytest.raises(InvalidClient, match="client authentication failed"):
        _authenticate(authentication.read(None, form), now=clock.now())


@pytest.mark.security("7.1", "8.3")
@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://evil.example"},
        {"aud": [ISSUER]},
        {"aud": f"{ISSUER}/token"},
        {"aud": f"{ISSUER}/"},
        {"aud": None},
        {"jti": None},
        {"jti": ""},
        {"jti": "j" * 256},
        {"exp": None},
        {"exp": 1},
        {"exp": 9_999_999_999},
        {"iat": 9_999_999_999},
        {"nbf": 9_999_999_999},
        {"iss": "somebody"},
    ],
)
def test_an_assertion_is_refused_when(identity_app: Flask, claims):
    app = an_app(token_endpoint_auth_method=clients.PRIVATE_KEY_JWT)

    with pytest.raises(InvalidClient):
        _assert(app, **claims)


def test_another_clients_key_proves_nothing(identity_app: Flask):
    app = an_app(token_endpoint_auth_method=clients.PRIVATE_KEY_JWT)
    other = an_app(token_endpoint_auth_method=clients.PRIVATE_KEY_JWT)
    forger = App(app.id, key=other.key)

    with pytest.raises(InvalidClient):
        _assert(forger)


@pytest.mark.security("7.1")
def test_a_clock_may_be_ten_seconds_ahead(identity_app: Flask):
    app = an_app(token_endpoint_auth_method=clients.PRIVATE_KEY_JWT)

    assert _assert(app, iat=int(clock.now().timestamp()) + 10)


@pytest.mark.product("OP-1")
def test_old_clients_may_name_the_token_endpoint(identity_app: Flask):
    app = an_app(token_endpoint_auth_method=clients.PRIVATE_KEY_JWT, profile="legacy")

    assert _assert(app, aud=f"{ISSUER}/token")
    assert _assert(app, aud=ISSUER)


def test_a_key_without_a_name_is_good_for_an_assertion_with_one(identity_app: Flask):
    """Clients publish keys without `kid`; joserfc's key sets then sign with a random key."""
    app = an_app(token_endpoint_auth_method=clients.PRIVATE_KEY_JWT)
    assert app.key is not None
    jwks = {"keys": [dict(app.key.as_dict(private=False))]}
    jwks["keys"][0].pop("kid", None)
    with db.transaction() as session:
        clients.update_metadata(session, app.id, jwks=jwks, now=NOON)

    assert _assert(app)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({}, None),
        ({"sub": "other"}, "another subject"),
        ({"aud": "other"}, "aud is not our issuer as one string"),
        ({"jti": 5}, "no jti"),
        ({"exp": NOON.timestamp() + 361}, "lives too long"),
    ],
)
def test_the_rules_of_an_assertion(claims, reason):
    good = {"sub": "app", "aud": ISSUER, "jti": "j", "exp": NOON.timestamp() + 300}

    refusal = why_refuse_assertion(good | claims, client_id="app", audiences=[ISSUER], now=NOON)

    assert refusal == reason


def test_a_secret_in_the_query_is_not_looked_at(identity_client: FlaskClient):
    app = an_app(token_endpoint_auth_method=clients.SECRET_POST)

    response = identity_client.post(
        f"/token?client_id={app.id}&client_secret={app.secret}",
        data={"grant_type": "client_credentials"},
    )

    assert response.status_code == 401
    assert response.get_json()["error"] == "invalid_client"
    assert response.headers["WWW-Authenticate"].startswith("Basic")


def test_the_hot_way_says_the_same(identity_app: Flask):
    app = an_app()
    keyed = an_app(token_endpoint_auth_method=clients.PRIVATE_KEY_JWT)
    good = Presented(app.id, clients.SECRET_BASIC, app.secret or "")

    with db.reading() as session:
        found = authentication.authenticate_within(session, good, now=NOON)
        for presented in (
            Presented(app.id, clients.SECRET_BASIC, "x"),
            Presented(keyed.id, clients.PRIVATE_KEY_JWT, "a.b.c"),
        ):
            with pytest.raises(InvalidClient):
                authentication.authenticate_within(session, presented, now=NOON)

    assert found.id == app.id
