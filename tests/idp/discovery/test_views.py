import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.idp.provider import ISSUER

PATHS = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]


@pytest.mark.product("OP-1")
@pytest.mark.security("6.6")
@pytest.mark.parametrize("path", PATHS)
def test_the_document_names_the_issuer_under_which_it_was_found(identity_client: FlaskClient, path):
    response = identity_client.get(path)

    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert response.get_json()["issuer"] == ISSUER


@pytest.mark.product("OP-1")
def test_every_endpoint_that_it_names_is_there(identity_app: Flask, identity_client: FlaskClient):
    metadata = identity_client.get(PATHS[0]).get_json()
    known = {rule.rule for rule in identity_app.url_map.iter_rules()}

    named = {
        value.removeprefix(ISSUER)
        for name, value in metadata.items()
        if name.endswith("_endpoint") or name == "jwks_uri"
    }

    assert named <= known
