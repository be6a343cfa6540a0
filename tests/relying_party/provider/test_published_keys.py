import json

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from relying_party.errors import IdentityUnreachable
from relying_party.provider import published_keys

EC = ECKey.generate_key("P-256", {"kid": "ec"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})


def parse(*members: object, algorithm: str = "ES256") -> set[str]:
    document = json.dumps({"keys": members}).encode()
    return set(published_keys.parse(document, algorithm=algorithm))


def public(key, **changes: object):
    return key.as_dict(private=False) | changes


@pytest.mark.security("8.1")
def test_only_keys_of_the_agreed_algorithm_are_taken():
    others = (public(RSA), public(OKPKey.generate_key("Ed25519", {"kid": "okp"})))

    assert parse(public(EC), *others) == {"ec"}
    assert parse(public(EC), *others, algorithm="RS256") == {"rsa"}
    assert parse(public(EC), *others, algorithm="EdDSA") == {"okp"}


@pytest.mark.security("8.1", "8.2", "8.7")
@pytest.mark.parametrize(
    "member",
    [
        public(EC, kid=None),
        public(EC, kid=1),
        public(EC, use="enc"),
        public(EC, alg="ES384"),
        public(EC, crv="P-384"),
        public(EC, x="!"),
        {"kty": "EC", "crv": "P-256", "kid": "ec"},
        OctKey.generate_key(256, {"kid": "oct"}).as_dict(),
        "text",
        None,
    ],
    # Keys are made anew in each process: no part of a name that two of them must agree on.
    ids=[f"member {number}" for number in range(10)],
)
def test_a_key_that_can_not_be_used_is_passed_over(member):
    assert parse(member, public(EC, kid="good")) == {"good"}


@pytest.mark.security("8.7")
def test_a_short_rsa_key_is_passed_over():
    with pytest.warns(match="2048"):
        short = RSAKey.generate_key(1024, {"kid": "short"})

    assert parse(public(short), public(RSA), algorithm="RS256") == {"rsa"}


@pytest.mark.security("18.7")
def test_a_provider_can_not_fill_our_memory():
    assert len(parse(*[public(EC, kid=f"k{number}") for number in range(1_000)])) == 50


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys":{}}', b"null", b"[" * 100_000])
def test_something_else_than_a_key_set_is_refused(document):
    with pytest.raises(IdentityUnreachable):
        published_keys.parse(document, algorithm="ES256")
