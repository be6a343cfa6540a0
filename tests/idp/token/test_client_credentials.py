import pytest
from flask import Flask
from flask.testing import FlaskClient

from idp.clients import service as clients
from idp.protocol.errors import InvalidScope
from idp.token.client_credentials import allowed_scopes
from tenants.database import db
from tests.idp.provider import API, ISSUER, an_app, claims_of, header_of, trade
from tests.statements import asked_of


@pytest.mark.product("OP-1")
@pytest.mark.security("7.5")
def test_an_application_gets_a_token_for_itself(identity_client: FlaskClient):
    app = an_app()

    response = trade(identity_client, app, "client_credentials")

    answer = response.get_json()
    claims = claims_of(answer["access_token"])
    assert response.headers["Cache-Control"] == "no-store"
    assert set(answer) == {"access_token", "token_type", "expires_in", "scope"}
    assert header_of(answer["access_token"]) | {"kid": ""} == {
        "alg": "ES256",
        "kid": "",
        "typ": "at+jwt",
    }
    assert (claims["iss"], claims["sub"], claims["aud"]) == (ISSUER, app.id, API)
    assert claims["client_id"] == app.id
    assert claims["scope"] == "reports:read"
    assert "sid" not in claims


def test_rs256_is_there_for_who_asks(identity_client: FlaskClient):
    app = an_app(access_token_signed_response_alg="RS256")

    answer = trade(identity_client, app, "client_credentials").get_json()

    assert header_of(answer["access_token"])["alg"] == "RS256"


def test_nothing_is_written_for_it(identity_app: Flask, identity_client: FlaskClient):
    app = an_app()
    trade(identity_client, app, "client_credentials")

    with asked_of(db.engine) as asked:
        trade(identity_client, app, "client_credentials")

    assert asked.changes == []
    assert asked.commits == 0


@pytest.mark.security("7.2")
def test_only_own_scopes_and_nothing_about_people(identity_app: Flask):
    client = an_app(scopes=("openid", "email", "reports:read", "reports:write")).registered()

    assert allowed_scopes(client, None) == ("reports:read", "reports:write")
    assert allowed_scopes(client, "reports:write") == ("reports:write",)
    for scope in ("openid", "reports:read email", "admin"):
        with pytest.raises(InvalidScope):
            allowed_scopes(client, scope)


@pytest.mark.security("7.2")
def test_a_resource_that_is_not_the_clients_is_refused(identity_client: FlaskClient):
    app = an_app()

    response = trade(identity_client, app, "client_credentials", resource="https://evil.example")

    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_target")


@pytest.mark.security("7.2")
def test_the_grant_must_be_enabled(identity_client: FlaskClient):
    app = an_app(grant_types=(clients.AUTHORIZATION_CODE,))

    response = trade(identity_client, app, "client_credentials")

    assert (response.status_code, response.get_json()["error"]) == (400, "unauthorized_client")
