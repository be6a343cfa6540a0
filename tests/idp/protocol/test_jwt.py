"""Tokens are made in one place, and believed in one place only when all is right."""

import base64
import hmac
import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from idp.protocol import jwt
from idp.protocol.jwt import NotBelieved, TokenKey
from tests.conftest import NOON

EC = ECKey.generate_key("P-256")
KEY = TokenKey("one", "ES256", EC)
GOOD = {
    "iss": "https://id.example",
    "aud": "app",
    "iat": int(NOON.timestamp()),
    "exp": int(NOON.timestamp()) + 60,
}


def _verify(token: str, **changes):
    expected: dict[str, Any] = {
        "find_key": {"one": KEY}.get,
        "typ": ("at+jwt",),
        "issuer": "https://id.example",
        "audience": "app",
        "now": NOON,
    } | changes
    return jwt.verify(token, **expected)


def _token(*, typ: str = "at+jwt", key: TokenKey = KEY, **claims) -> str:
    wanted = {name: value for name, value in (GOOD | claims).items() if value is not None}
    return jwt.sign(wanted, key, typ=typ)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signed(header: bytes, payload: bytes) -> str:
    """A token whose header and payload are these very bytes, rightly signed."""
    signing_input = f"{_encoded(header)}.{_encoded(payload)}".encode()
    signature = jws.JWSRegistry.algorithms["ES256"].sign(signing_input, EC)
    return f"{signing_input.decode()}.{_encoded(signature)}"


def _header(**changes) -> bytes:
    return json.dumps({"alg": "ES256", "kid": "one", "typ": "at+jwt"} | changes).encode()


PAYLOAD = json.dumps(GOOD).encode()


def test_a_good_token_is_believed():
    assert _verify(_token()) == GOOD
    assert _verify(_signed(_header(), PAYLOAD)) == GOOD


@pytest.mark.security("8.1", "8.2", "8.3", "8.4")
@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (_token(typ="JWT"), "another type"),
        (_token(typ="logout+jwt"), "another type"),
        (_token(iss="https://evil.example"), "another issuer"),
        (_token(iss="https://id.example/"), "another issuer"),
        (_token(iss=None), "another issuer"),
        (_token(aud="ap"), "another audience"),
        (_token(aud=["other"]), "another audience"),
        (_token(aud=None), "another audience"),
        (_token(exp=None), "no exp"),
        (_token(exp="soon"), "exp is not a number"),
        (_token(exp=True), "exp is not a number"),
        (_token(exp=10**40), "exp is not a time"),
        (_token(exp=int(NOON.timestamp()) - 10), "expired"),
        (_token(nbf=int(NOON.timestamp()) + 11), "nbf is in the future"),
        (_token(iat=int(NOON.timestamp()) + 11), "iat is in the future"),
        (_token(key=TokenKey("two", "ES256", EC)), "no key"),
        (_token(key=TokenKey("one", "ES256", ECKey.generate_key("P-256"))), "signature"),
        (_signed(_header(jwk=EC.as_dict(private=False)), PAYLOAD), "header jwk"),
        (_signed(_header(jku="https://evil.example/jwks"), PAYLOAD), "header jku"),
        (_signed(_header(x5u="https://evil.example/cert"), PAYLOAD), "header x5u"),
        (_signed(_header(x5c=["AAAA"]), PAYLOAD), "header x5c"),
        (_signed(_header(crit=["exp"]), PAYLOAD), "header crit"),
        (_signed(_header(zip="DEF"), PAYLOAD), "header zip"),
        (_signed(_header(kid=1), PAYLOAD), "kid is not text"),
        (_signed(_header(alg="none"), PAYLOAD), "an algorithm that we don't take"),
        (_signed(_header(alg="HS256"), PAYLOAD), "an algorithm that we don't take"),
        (_signed(_header(alg="RS256"), PAYLOAD), "the key signs with another algorithm"),
        (_signed(_header(), PAYLOAD[:-1] + b',"aud":"app"}'), "a member appears twice"),
        (_signed(_header(), b'{"a":{"b":1,"b":2}}'), "a member appears twice"),
        (_signed(_header()[:-1] + b',"kid":"one"}', PAYLOAD), "a member appears twice"),
        (_signed(_header(), b"[" * 8000), "not a JSON object"),
        (_signed(_header(), b"[]"), "not a JSON object"),
        (_signed(_header(), b"\xff"), "not a JSON object"),
        (_token(much="x" * 17_000), "too long"),
        ("a.b", "not a token"),
        ("a.b.c.d.e", "not a token"),
        (_token() + "=", "not a token"),
        (_token().replace(".", ".\n"), "not a token"),
        ("ż.ó.ł", "not a token"),
    ],
)
def test_a_token_is_refused_when(token, reason):
    with pytest.raises(NotBelieved, match=reason):
        _verify(token)


@pytest.mark.security("8.1")
def test_a_public_key_used_as_a_secret_proves_nothing():
    """The oldest trick: HS256 with our published key as the secret."""
    signing_input = f"{_encoded(_header(alg='HS256'))}.{_encoded(PAYLOAD)}"
    signature = hmac.digest(EC.as_pem(private=False), signing_input.encode(), "sha256")
    forged = f"{signing_input}.{_encoded(signature)}"

    with pytest.raises(NotBelieved):
        _verify(forged)


def test_clocks_may_differ_by_ten_seconds_and_no_more():
    token = _token(exp=int(NOON.timestamp()))

    assert _verify(token, now=NOON + timedelta(seconds=9))
    with pytest.raises(NotBelieved, match="expired"):
        _verify(token, now=NOON + timedelta(seconds=10))


def test_a_hint_may_have_expired():
    token = _token(typ="JWT", exp=1)

    assert _verify(token, typ=("JWT",), expired_is_fine=True)


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_the_type_is_a_media_type(typ):
    assert _verify(_signed(_header(typ=typ), PAYLOAD)) == GOOD


@pytest.mark.security("8.2")
def test_a_header_may_be_longer_than_the_library_takes_by_itself():
    """joserfc stops at 512 bytes; a proof with an RSA key in its header is longer."""
    assert _verify(_signed(_header(note="n" * 600), PAYLOAD))


def _private_key(algorithm: str) -> Key:
    if algorithm == "ES256":
        return ECKey.generate_key("P-256")
    return OKPKey.generate_key("Ed25519") if algorithm == "EdDSA" else RSAKey.generate_key(2048)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
def test_each_algorithm_signs_and_verifies(algorithm):
    private = _private_key(algorithm)
    token = _token(key=TokenKey("k", algorithm, private))
    public = jwt.public_key({**private.as_dict(private=False), "alg": algorithm, "kid": "k"})

    assert _verify(token, find_key={"k": public}.get) == GOOD


@pytest.mark.security("8.1")
@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_what_we_sign_directly_is_what_the_library_would_have_signed(algorithm):
    """Header and payload byte for byte; the signature too where there is one only."""
    private = _private_key(algorithm)
    ours = _token(key=TokenKey("k", algorithm, private), name="Zażółć", big=[1, {"a": None}])
    header = {"alg": algorithm, "kid": "k", "typ": "at+jwt"}
    registry = jws.JWSRegistry(algorithms=[algorithm])

    payload = base64.urlsafe_b64decode(ours.split(".")[1] + "==")
    theirs = jws.serialize_compact(header, payload, private, registry=registry)

    assert ours.split(".")[:2] == theirs.split(".")[:2]
    assert json.loads(payload)["name"] == "Zażółć"
    assert jws.deserialize_compact(ours, private, registry=registry).payload == payload
    if algorithm in ("RS256", "EdDSA"):
        assert ours == theirs


def test_a_public_key_signs_nothing():
    with pytest.raises(NotBelieved, match="does not sign"):
        _token(key=jwt.public_key(EC.as_dict(private=False) | {"kid": "one"}))


@pytest.mark.security("8.7")
@pytest.mark.parametrize(
    ("jwk", "reason"),
    [
        ({}, "kind of key"),
        ({"kty": "oct", "k": "AAAA"}, "stayed private"),
        (ECKey.generate_key("P-256").as_dict(private=True), "stayed private"),
        (ECKey.generate_key("P-384").as_dict(private=False), "kind of key"),
        ({"kty": "RSA", "n": "A" * 170, "e": "AQAB"}, "under 2048"),
        ({"kty": "RSA", "n": "A" * 2_000, "e": "AQAB"}, "over 8192"),
        ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, "not a key"),
        ({"kty": "RSA", "n": 5, "e": []}, "not base64url"),
        ({"kty": "RSA", "n": "A" * 342, "e": []}, "not a key"),
        (EC.as_dict(private=False) | {"alg": "RS256"}, "can't have"),
        (EC.as_dict(private=False) | {"alg": "none"}, "can't have"),
        (EC.as_dict(private=False) | {"use": "enc"}, "not a key for signatures"),
        (EC.as_dict(private=False) | {"kid": 5}, "kid is not text"),
    ],
)
def test_a_public_key_is_refused_when(jwk, reason):
    with pytest.raises(NotBelieved, match=reason):
        jwt.public_key(jwk)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.lists(st.binary(max_size=80), min_size=3, max_size=3)))
def test_no_text_breaks_the_reader(text):
    token = text if isinstance(text, str) else ".".join(_encoded(part) for part in text)

    with pytest.raises(NotBelieved):
        _verify(token)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ).flatmap(
        lambda odd: st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "sub"]).map(
            lambda name: {name: odd}
        )
    )
)
def test_no_claim_breaks_the_verifier(odd):
    token = _signed(_header(), json.dumps(GOOD | odd).encode())

    with suppress(NotBelieved):
        _verify(token)
