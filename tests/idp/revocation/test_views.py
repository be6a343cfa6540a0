import pytest
from flask.testing import FlaskClient

from idp.clients import service as clients
from tests.idp.provider import an_app, tokens_for


@pytest.mark.product("OP-1")
@pytest.mark.security("7.7")
def test_the_answer_is_the_same_whether_there_was_a_token(identity_client: FlaskClient):
    app = an_app()
    token = tokens_for(identity_client, app)["refresh_token"]

    there, gone, unproved = (
        identity_client.post("/revoke", data={"token": token}, headers=headers)
        for headers in (app.basic, app.basic, {})
    )

    assert (there.status_code, gone.status_code, unproved.status_code) == (200, 200, 401)
    assert there.data == gone.data


def test_a_public_client_may_give_back_its_own(identity_client: FlaskClient):
    app = an_app(token_endpoint_auth_method=clients.NONE, first_party=True)
    token = tokens_for(identity_client, app)["refresh_token"]

    response = identity_client.post("/revoke", data={"token": token, "client_id": app.id})

    assert response.status_code == 200


def test_a_token_has_to_be_named(identity_client: FlaskClient):
    assert identity_client.post("/revoke", data={}, headers=an_app().basic).status_code == 400
