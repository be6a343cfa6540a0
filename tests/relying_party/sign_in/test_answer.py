import pytest

from relying_party.errors import SignInFailed
from relying_party.provider.metadata import Metadata
from relying_party.sign_in import answer
from relying_party.sign_in.answer import Answer

METADATA = Metadata(
    issuer="https://id.example",
    authorization_endpoint="https://id.example/authorize",
    token_endpoint="https://id.example/token",
    userinfo_endpoint="https://id.example/userinfo",
    jwks_uri="https://id.example/jwks",
    end_session_endpoint=None,
    names_issuer_in_responses=True,
)


def test_what_is_ours_is_read_and_the_rest_passed_over():
    found = answer.read([("state", "s"), ("code", "c"), ("iss", "i"), ("x", "1"), ("x", "2")])

    assert found == Answer("s", "i", "c", None)


@pytest.mark.security("6.8", "15.1")
@pytest.mark.parametrize(
    "parameters",
    [
        [],
        [("code", "c")],
        [("state", "")],
        [("state", "s"), ("state", "s")],
        [("state", "s"), ("code", "c"), ("code", "c")],
        [("state", "ż")],
        [("state", "s\n")],
        [("state", "s" * 3000)],
    ],
)
def test_what_can_not_be_an_answer_is_refused(parameters):
    with pytest.raises(SignInFailed):
        answer.read(parameters)


@pytest.mark.security("11.1", "6.6")
@pytest.mark.parametrize(
    ("given", "refused"),
    [
        (Answer("s", "https://id.example", "c", None), False),
        (Answer("s", "https://id.example", None, "access_denied"), False),
        (Answer("s", None, "c", None), True),
        (Answer("s", "https://id.example/", "c", None), True),
        (Answer("s", "https://id.example", None, None), True),
        (Answer("s", "https://id.example", "", None), True),
        (Answer("s", "https://id.example", "c", "access_denied"), True),
    ],
)
def test_an_answer_must_be_the_providers(given, refused):
    assert (answer.why_refuse(given, METADATA) is not None) is refused
