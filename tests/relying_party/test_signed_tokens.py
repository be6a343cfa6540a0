import base64
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey

from relying_party import signed_tokens
from relying_party.errors import TokenInvalid

KEY = ECKey.generate_key("P-256", {"kid": "key-1"})
HEADER = {"alg": "ES256", "kid": "key-1", "typ": "JWT"}


def signed(header=HEADER, payload=b'{"a":1}') -> str:
    """A token with a true signature over whatever header and payload."""
    registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    return jws.serialize_compact(dict(header), payload, KEY, registry=registry)


def read(token: str) -> dict[str, object]:
    def find_key(kid):
        if kid != "key-1":
            raise TokenInvalid("unknown")
        return KEY

    return signed_tokens.read(token, types=frozenset({"jwt"}), algorithm="ES256", find_key=find_key)


def part(value: object) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def test_a_right_token_is_read():
    assert read(signed()) == {"a": 1}


def test_the_type_is_read_as_media_types_are():
    assert read(signed(HEADER | {"typ": "application/JWT"})) == {"a": 1}


@pytest.mark.security("8.1", "8.2", "8.4")
@pytest.mark.parametrize(
    "change",
    [
        {"alg": "RS256"},
        {"alg": ["ES256"]},
        {"alg": None},
        {"typ": "at+jwt"},
        {"typ": 1},
        {"kid": ""},
        {"kid": 1},
        {"kid": "key-2"},
        {"kid": "k" * 201},
        {"crit": ["exp"], "exp": 1},
        {"b64": False},
        {"zip": "DEF"},
        {"enc": "A256GCM"},
    ],
)
def test_a_header_that_is_not_as_agreed_is_refused(change):
    header, payload, signature = signed().split(".")
    altered = part(HEADER | change)

    with pytest.raises(TokenInvalid):
        read(f"{altered}.{payload}.{signature}")
    assert header != altered


@pytest.mark.security("8.1")
def test_a_public_key_is_no_secret():
    """HS256 with the bytes of the public key: the oldest trick."""
    signed_part = f"{part(HEADER | {'alg': 'HS256'})}.{part({'a': 1})}"
    digest = hmac.digest(KEY.as_pem(private=False), signed_part.encode(), "sha256")

    with pytest.raises(TokenInvalid):
        read(f"{signed_part}.{part(digest)}")


@pytest.mark.security("8.1")
def test_no_algorithm_is_no_signature():
    with pytest.raises(TokenInvalid):
        read(f"{part(HEADER | {'alg': 'none'})}.{part({'a': 1})}.")


@pytest.mark.security("8.2")
@pytest.mark.parametrize(
    "payload",
    [
        b'{"iss":"a","iss":"b"}',
        b'{"a":{"b":1,"b":2}}',
        b'{"exp":NaN}',
        b'{"exp":Infinity}',
        b"[]",
        b'"text"',
        b"",
        b"\xff\xfe",
        b"[" * 9_000,
        b'{"exp":' + b"9" * 5_000 + b"}",
    ],
    ids=lambda payload: payload[:20].decode("latin-1"),
)
def test_a_payload_that_can_be_read_in_two_ways_is_refused(payload):
    with pytest.raises(TokenInvalid):
        read(signed(payload=payload))


@pytest.mark.security("8.2")
@pytest.mark.parametrize(
    "token",
    [
        "",
        "..",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e",
        "ż.b.c",
        f"{part(HEADER)}=.{part({})}.x",
        f"{part([])}.{part({})}.x",
        json.dumps({"payload": "", "signatures": []}),
        "a" * 17_000,
    ],
    ids=lambda token: token[:20],
)
def test_only_the_compact_form_is_read(token):
    with pytest.raises(TokenInvalid):
        read(token)


@pytest.mark.security("20.6")
@given(st.one_of(st.text(max_size=300), st.binary(max_size=200).map(lambda b: part(b) + ".e30.x")))
def test_whatever_comes_is_read_or_refused(text):
    try:
        read(text)
    except TokenInvalid:
        return
    raise AssertionError("nobody signed this")


@pytest.mark.security("20.6")
@given(st.binary(max_size=300))
def test_whatever_is_signed_is_read_or_refused(payload):
    try:
        claims = read(signed(payload=payload))
    except TokenInvalid:
        return
    assert isinstance(claims, dict)
