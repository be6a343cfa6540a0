"""What we take from Authlib's skeleton, and what we don't leave to it."""

import pytest
from authlib.oauth2.rfc6749 import UnsupportedGrantTypeError
from flask import Flask
from flask.testing import FlaskClient

from idp.protocol.errors import OAuthError
from idp.protocol.parameters import Parameters
from idp.token.server import TokenGrant, TokenRequest, TokenServer
from tests.conftest import NOON
from tests.idp.provider import ISSUER, an_app, trade


def _request(**fields) -> TokenRequest:
    return TokenRequest(Parameters(fields.items()), authorization=None, issuer=ISSUER, now=NOON)


def test_authlibs_words_never_repeat_what_the_client_sent(identity_app: Flask):
    error = UnsupportedGrantTypeError('"\\ż')

    answer = TokenServer().handle_error_response(_request(), error)

    assert answer.status == 400
    assert answer.body["error_description"] == "this grant_type is not supported"


def test_plain_http_on_loopback_is_taken(identity_app: Flask):
    """Authlib's own request refuses it unless an environment variable is set."""
    assert _request(grant_type="x").payload.grant_type == "x"


def test_a_grant_without_rules_gives_nothing(identity_app: Flask):
    with pytest.raises(OAuthError):
        TokenGrant(_request(), TokenServer()).exchange()


def test_a_server_without_grants_supports_none(identity_app: Flask):
    answer = TokenServer().create_token_response(_request(grant_type="password"))

    assert answer.body["error"] == "unsupported_grant_type"


@pytest.mark.security("17.2")
def test_no_token_and_no_secret_is_logged(identity_client: FlaskClient, capfd):
    """Authlib writes tokens at debug level."""
    app = an_app()

    answer = trade(identity_client, app, "client_credentials").get_json()
    trade(identity_client, app, "refresh_token", refresh_token="a-refresh-token-to-look-for")

    written = "".join(capfd.readouterr())
    assert answer["access_token"] not in written
    assert str(app.secret) not in written
    assert "a-refresh-token-to-look-for" not in written
