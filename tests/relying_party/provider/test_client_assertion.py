import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from kernel.errors import Misconfigured
from relying_party.provider.client_assertion import ClientKey
from tests.conftest import NOON

KEY = ECKey.generate_key("P-256", {"kid": "portal-1"})
ISSUER = "https://id.example"


def client_key(key=KEY) -> ClientKey:
    return ClientKey.from_text("portal", json.dumps(key.as_dict(private=True)))


@pytest.mark.security("7.1")
def test_an_assertion_says_who_asks_whom_and_for_how_long():
    token = jwt.decode(client_key().assertion(issuer=ISSUER, now=NOON), KEY, algorithms=["ES256"])

    issued_at = int(NOON.timestamp())
    jti = token.claims.pop("jti")
    assert token.header == {"alg": "ES256", "kid": "portal-1", "typ": "JWT"}
    assert token.claims == {
        "iss": "portal",
        "sub": "portal",
        "aud": ISSUER,
        "iat": issued_at,
        "exp": issued_at + 60,
    }
    assert len(jti) >= 22


@pytest.mark.security("7.1")
def test_no_two_assertions_are_alike():
    key = client_key()

    ids = {
        jwt.decode(key.assertion(issuer=ISSUER, now=NOON), KEY, algorithms=["ES256"]).claims["jti"]
        for _ in range(20)
    }

    assert len(ids) == 20


def test_a_key_without_an_id_is_known_by_its_thumbprint():
    nameless = ECKey.generate_key("P-256")

    token = jwt.decode(
        client_key(nameless).assertion(issuer=ISSUER, now=NOON), nameless, algorithms=["ES256"]
    )

    assert token.header["kid"] == nameless.thumbprint()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "{}",
        "[]",
        json.dumps(KEY.as_dict(private=False)),
        json.dumps(ECKey.generate_key("P-384").as_dict(private=True)),
        json.dumps(RSAKey.generate_key(2048).as_dict(private=True)),
    ],
    ids=["empty", "null", "object", "list", "public", "another curve", "RSA"],
)
def test_another_key_than_a_private_one_on_p_256_is_refused_at_the_start(text):
    with pytest.raises(Misconfigured):
        ClientKey.from_text("portal", text)
