import pytest
from flask.testing import FlaskClient

from idp.clients import service as clients
from tests.idp.provider import an_app, trade


@pytest.mark.product("OP-1")
@pytest.mark.security("7.7")
def test_a_client_has_to_prove_itself(identity_client: FlaskClient):
    app = an_app()
    public = an_app(token_endpoint_auth_method=clients.NONE)
    token = trade(identity_client, app, "client_credentials").get_json()["access_token"]

    proved = identity_client.post("/introspect", data={"token": token}, headers=app.basic)
    unproved = identity_client.post("/introspect", data={"token": token, "client_id": app.id})
    by_public = identity_client.post("/introspect", data={"token": token, "client_id": public.id})

    assert proved.get_json()["active"] is True
    assert proved.headers["Cache-Control"] == "no-store"
    assert (unproved.status_code, by_public.status_code) == (401, 401)


def test_a_token_has_to_be_named(identity_client: FlaskClient):
    response = identity_client.post("/introspect", data={}, headers=an_app().basic)

    assert response.status_code == 400
