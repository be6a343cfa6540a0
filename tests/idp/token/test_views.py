"""The token endpoint as clients meet it, over Authlib's skeleton."""

import pytest
from flask.testing import FlaskClient

from idp.clients import service as clients
from kernel import clock
from tests.idp.provider import a_code, an_app, trade, trade_code


@pytest.mark.product("OP-1")
@pytest.mark.parametrize(
    ("method", "profile"),
    [
        (clients.SECRET_BASIC, "standard"),
        (clients.SECRET_POST, "standard"),
        (clients.PRIVATE_KEY_JWT, "standard"),
        (clients.NONE, "standard"),
        (clients.SECRET_BASIC, "legacy"),
    ],
)
def test_each_way_to_prove_oneself(identity_client: FlaskClient, method, profile):
    app = an_app(token_endpoint_auth_method=method, profile=profile, first_party=True)
    code = a_code(app, now=clock.now())
    in_form = (
        {"client_id": app.id, "client_secret": app.secret} if method == clients.SECRET_POST else {}
    )

    response = (
        identity_client.post(
            "/token",
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": "https://app.example/callback",
                "code_verifier": "a-verifier-that-has-more-than-enough-characters-in-it",
            }
            | in_form,
        )
        if in_form
        else trade_code(identity_client, app, code)
    )

    assert response.status_code == 200, response.get_data(as_text=True)
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert isinstance(response.get_json()["expires_in"], int)


@pytest.mark.security("6.3", "7.2")
@pytest.mark.parametrize(
    ("grant_type", "error"),
    [
        ("password", "unsupported_grant_type"),
        ("implicit", "unsupported_grant_type"),
        ('bad"\\grant ż', "unsupported_grant_type"),
        ("", "invalid_request"),
    ],
)
def test_an_unknown_grant_is_refused(identity_client: FlaskClient, grant_type, error):
    response = trade(identity_client, an_app(), grant_type)

    assert (response.status_code, response.get_json()["error"]) == (400, error)


@pytest.mark.security("6.8")
def test_a_repeated_parameter_is_refused(identity_client: FlaskClient):
    app = an_app()

    response = identity_client.post(
        "/token",
        data="grant_type=client_credentials&scope=reports:read&scope=reports:read",
        content_type="application/x-www-form-urlencoded",
        headers=app.basic,
    )

    assert (response.status_code, response.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data"])
def test_only_forms_are_read(identity_client: FlaskClient, content_type):
    response = identity_client.post("/token", data="{}", content_type=content_type)

    assert response.status_code == 400
    assert response.get_json()["error"] == "invalid_request"


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_nothing_but_post(identity_client: FlaskClient, method):
    assert getattr(identity_client, method)("/token").status_code == 405


@pytest.mark.product("OP-1")
def test_a_client_that_proves_nothing_is_told_how_to(identity_client: FlaskClient):
    app = an_app()

    response = identity_client.post(
        "/token", data={"grant_type": "client_credentials", "client_id": app.id}
    )

    assert response.status_code == 401
    assert response.get_json() == {
        "error": "invalid_client",
        "error_description": "client authentication failed",
    }
    assert response.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("header", ["Basic \xff\xfe", "Basic /w==", "Basic %", "Nonsense", "Basic"])
def test_odd_headers_are_no_fault_of_ours(identity_client: FlaskClient, header):
    response = identity_client.post(
        "/token", data={"grant_type": "client_credentials"}, headers={"Authorization": header}
    )

    assert response.status_code == 401
