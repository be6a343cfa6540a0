from dataclasses import replace

import pytest

from relying_party.sign_in.id_token import Expected, why_refuse
from tests.conftest import NOON

NOW = NOON.timestamp()
EXPECTED = Expected(
    issuer="https://id.example",
    client_id="portal",
    nonce="n-1",
    access_token="an access token",
    algorithm="ES256",
)
# The left half of SHA-256 over "an access token".
HALF_HASH = "FPlcM-1UXiivOYozpUrp7Q"
CLAIMS = {
    "iss": "https://id.example",
    "aud": "portal",
    "sub": "person-1",
    "iat": NOW,
    "exp": NOW + 60,
    "auth_time": NOW - 600,
    "nonce": "n-1",
    "acr": "two",
    "amr": ["pwd"],
}


def refusal(expected: Expected = EXPECTED, **changes: object) -> str | None:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return why_refuse(claims, expected, now=NOON)


def test_right_claims_are_accepted():
    assert refusal() is None
    assert refusal(aud=["portal"], azp="portal", sid="s") is None


@pytest.mark.security("11.1", "8.3")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://id.example/"}, "iss"),
        ({"iss": None}, "iss"),
        ({"iss": ["https://id.example"]}, "iss"),
        ({"aud": "crm"}, "aud"),
        ({"aud": ["portal", "portal2"]}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": None}, "aud"),
        ({"azp": "crm"}, "azp"),
        ({"sub": ""}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"sub": "ż"}, "sub"),
        ({"sub": 1}, "sub"),
        ({"sub": None}, "sub"),
        ({"sid": ""}, "sid"),
        ({"exp": None}, "exp"),
        ({"exp": "later"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": NOW - 11}, "exp"),
        ({"iat": None}, "iat"),
        ({"iat": NOW + 11}, "iat"),
        ({"iat": NOW - 301}, "iat"),
        ({"nbf": NOW + 11}, "nbf"),
        ({"nbf": "now"}, "nbf"),
        ({"auth_time": "now"}, "auth_time"),
        ({"auth_time": NOW + 11}, "auth_time"),
        ({"acr": ""}, "acr"),
        ({"amr": "pwd"}, "amr"),
        ({"amr": ["pwd", 1]}, "amr"),
        ({"amr": ["x"] * 21}, "amr"),
        ({"nonce": "n-2"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": 1}, "nonce"),
        ({"at_hash": "wrong"}, "at_hash"),
        ({"at_hash": 1}, "at_hash"),
    ],
)
def test_claims_are_refused_when(changes, reason):
    assert (refusal(**changes) or "").startswith(reason)


@pytest.mark.security("8.3")
@pytest.mark.parametrize(
    "changes", [{"exp": NOW - 9}, {"iat": NOW + 10}, {"iat": NOW - 299}, {"auth_time": NOW + 9}]
)
def test_clocks_may_differ_by_a_little(changes):
    assert refusal(**changes) is None


@pytest.mark.security("11.1", "4.9")
def test_the_class_of_the_sign_in_must_be_one_that_was_asked_for():
    strict = replace(EXPECTED, acr_values=("two",))

    assert refusal(strict) is None
    assert refusal(strict, acr="one") == "acr is not what was asked for"
    assert refusal(strict, acr=None) == "acr is not what was asked for"


@pytest.mark.security("11.1", "4.9")
@pytest.mark.parametrize(
    ("max_age", "auth_time", "accepted"),
    [(600, NOW - 600, True), (60, NOW - 600, False), (0, NOW, True), (0, NOW - 60, False)],
)
def test_the_sign_in_must_be_as_fresh_as_asked_for(max_age, auth_time, accepted):
    fresh = replace(EXPECTED, max_age=max_age)

    assert (refusal(fresh, auth_time=auth_time) is None) is accepted


@pytest.mark.security("11.1")
def test_freshness_can_not_be_claimed_by_silence():
    assert "auth_time is missing" in (refusal(replace(EXPECTED, max_age=0), auth_time=None) or "")


def test_the_hash_of_the_access_token_is_checked_where_it_is_given():
    assert refusal(at_hash=HALF_HASH) is None
