from datetime import timedelta
from typing import Any

from joserfc.jwk import ECKey

from idp.protocol import jwt
from idp.protocol.jwt import TokenKey
from idp.token import mint
from tests.conftest import NOON
from tests.idp.provider import ISSUER, claims_of
from tests.idp.token.test_authorization_code import a_grant

KEY = TokenKey("k", "ES256", ECKey.generate_key("P-256"))
LIFE = timedelta(minutes=5)


def test_a_token_of_a_person_names_the_grant_and_one_of_a_machine_has_none():
    common: dict[str, Any] = {
        "issuer": ISSUER,
        "client_id": "app",
        "audience": "https://api.example",
        "granted": ("openid",),
        "key": KEY,
        "life": LIFE,
        "now": NOON,
    }
    grant = a_grant()

    of_person = claims_of(mint.access_token(subject="p", grant=grant, **common))
    of_machine = claims_of(mint.access_token(subject="app", **common))

    assert of_person["gid"] == str(grant.id)
    assert not {"gid", "sid", "auth_time", "acr"} & set(of_machine)
    assert of_person["jti"] != of_machine["jti"]


def test_an_id_token_is_bound_to_its_access_token():
    token = mint.id_token(
        issuer=ISSUER,
        client_id="app",
        grant=a_grant(),
        access_token="jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
        key=KEY,
        life=LIFE,
        now=NOON,
        nonce="n",
    )

    assert claims_of(token)["at_hash"] == "77QmUPtjPfzWtF2AnpK9RQ"
    assert jwt.read_header(token) == {"alg": "ES256", "kid": "k", "typ": "JWT"}
