import pytest
from flask import Flask

from idp.token import answer
from tests.idp.provider import API, ISSUER, an_app
from tests.idp.token.test_authorization_code import a_grant


@pytest.mark.product("OP-1")
@pytest.mark.parametrize(
    ("scopes", "audiences", "audience"),
    [
        (("openid",), (API,), ISSUER),
        (("reports:read",), (API,), API),
        (("reports:read",), (), ISSUER),
    ],
)
def test_without_a_resource_a_sign_in_is_for_userinfo(
    identity_app: Flask, scopes, audiences, audience
):
    client = an_app(audiences=audiences).registered()

    assert answer.audience_for(a_grant(scopes=scopes), client, (), ISSUER) == audience
