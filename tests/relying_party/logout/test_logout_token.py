import pytest

from relying_party.logout.logout_token import EVENT, why_refuse
from tests.conftest import NOON

NOW = NOON.timestamp()
CLAIMS = {
    "iss": "https://id.example",
    "aud": "portal",
    "iat": NOW,
    "exp": NOW + 120,
    "jti": "j-1",
    "events": {EVENT: {}},
    "sid": "s-1",
}


def refusal(**changes: object) -> str | None:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return why_refuse(claims, issuer="https://id.example", client_id="portal", now=NOON)


@pytest.mark.security("9.3")
@pytest.mark.parametrize(
    "changes",
    [{}, {"sub": "p-1"}, {"sub": "p-1", "sid": None}, {"aud": ["portal"]}, {"exp": NOW - 9}],
)
def test_a_right_token_is_accepted(changes):
    assert refusal(**changes) is None


@pytest.mark.security("9.3", "8.3")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "https://id.example.evil"}, "iss"),
        ({"aud": "portal2"}, "aud"),
        ({"nonce": "n"}, "a nonce"),
        ({"jti": None}, "jti"),
        ({"events": {EVENT: []}}, "events"),
        ({"events": EVENT}, "events"),
        ({"sid": None}, "neither sub nor sid"),
        ({"sid": "a b"}, "sid"),
        ({"sub": 1}, "sub"),
        ({"exp": None}, "exp"),
        ({"iat": None}, "iat"),
        ({"exp": NOW - 11}, "exp"),
        ({"iat": NOW + 11}, "iat"),
        ({"exp": NOW + 301}, "a life"),
    ],
)
def test_a_token_is_refused_when(changes, reason):
    assert (refusal(**changes) or "").startswith(reason)
