from datetime import timedelta

import pytest
from flask import Flask

from idp.grants import service as grants
from idp.grants.service import Reason
from idp.keys import service as keys
from idp.protocol import jwt
from idp.protocol.jwt import NotBelieved
from idp.token import verification
from idp.token.verification import AccessToken
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import ISSUER, a_person, an_app, claims_of, header_of
from tests.idp.token.test_refresh_token import _tokens


def _believe(token: str, now=NOON, audience: str | None = ISSUER) -> AccessToken:
    with db.reading() as session:
        return verification.believe(session, token, issuer=ISSUER, audience=audience, now=now)


def test_a_token_stands_on_its_grant(identity_app: Flask):
    app, person_id = an_app(first_party=True), a_person()
    token = _tokens(app, person_id=person_id)["access_token"]

    for _ in range(2):
        believed = _believe(token)
        assert believed.client_id == app.id
        assert believed.grant is not None
        assert believed.grant.person_id == person_id
        assert "openid" in believed.scopes


@pytest.mark.security("7.8", "8.4")
def test_a_remembered_signature_is_no_pass(identity_app: Flask):
    """Between two looks at the same token everything may have changed."""
    app = an_app(first_party=True)
    made = _tokens(app)
    token, claims = made["access_token"], claims_of(made["access_token"])
    _believe(token)

    with pytest.raises(NotBelieved, match="expired"):
        _believe(token, now=NOON + timedelta(seconds=310))
    with pytest.raises(NotBelieved, match="another audience"):
        _believe(token, audience="https://api.example")
    with pytest.raises(NotBelieved, match="another type"):
        _believe(made["id_token"])

    with db.transaction() as session:
        grants.revoke_access_token(session, claims["jti"], expires_at=NOON + timedelta(hours=1))
    with pytest.raises(NotBelieved, match="this token was revoked"):
        _believe(token)


@pytest.mark.security("7.3")
def test_a_token_ends_with_its_grant(identity_app: Flask):
    believed = _believe(token := _tokens(an_app(first_party=True))["access_token"])
    assert believed.grant is not None

    with db.transaction() as session:
        grants.revoke(session, believed.grant.id, reason=Reason.REVOKED_BY_CLIENT, now=NOON)

    with pytest.raises(NotBelieved, match="the grant was revoked"):
        _believe(token)


@pytest.mark.security("8.5")
def test_a_token_ends_with_its_key(identity_app: Flask):
    token = _tokens(an_app(first_party=True))["access_token"]
    _believe(token)

    keys.withdraw(header_of(token)["kid"], now=NOON)

    with pytest.raises(NotBelieved):
        _believe(token)


def test_a_token_of_a_grant_that_is_gone_is_not_believed(identity_app: Flask):
    token = _tokens(an_app(first_party=True))["access_token"]
    claims = claims_of(token) | {"gid": "0198c0de-0000-7000-8000-000000000000"}
    forged = jwt.sign(claims, keys.signing_key("ES256", now=NOON), typ="at+jwt")
    without_jti = jwt.sign(
        {name: value for name, value in claims.items() if name != "jti"},
        keys.signing_key("ES256", now=NOON),
        typ="at+jwt",
    )

    with pytest.raises(NotBelieved, match="its grant is gone"):
        _believe(forged)
    with pytest.raises(NotBelieved, match="revoked"):
        _believe(without_jti)
