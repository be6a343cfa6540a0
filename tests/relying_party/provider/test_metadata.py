import json

import pytest

from relying_party.errors import IdentityUnreachable
from relying_party.provider import metadata

ISSUER = "https://id.example"
DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
    "jwks_uri": f"{ISSUER}/jwks",
}


def parse(**changes: object) -> metadata.Metadata:
    document = {name: value for name, value in (DOCUMENT | changes).items() if value is not None}
    return metadata.parse(json.dumps(document).encode(), issuer=ISSUER)


def test_what_we_use_is_read():
    found = parse(authorization_response_iss_parameter_supported=True, other=[1])

    assert found.token_endpoint == f"{ISSUER}/token"
    assert found.names_issuer_in_responses
    assert found.end_session_endpoint is None


@pytest.mark.security("11.1")
@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": f"{ISSUER}/"},
        {"issuer": "https://another.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": 1},
        {"token_endpoint": "http://id.example/token"},
        {"token_endpoint": "https://user@id.example/token"},
        {"token_endpoint": "https://id.example/to ken"},
        {"token_endpoint": "https://[id.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"userinfo_endpoint": "/userinfo"},
        {"end_session_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_document_that_can_not_be_the_issuers_is_refused(changes):
    with pytest.raises(IdentityUnreachable):
        parse(**changes)


@pytest.mark.parametrize("document", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000])
def test_something_else_than_a_document_is_refused(document):
    with pytest.raises(IdentityUnreachable):
        metadata.parse(document, issuer=ISSUER)


def test_plain_http_will_do_where_the_issuer_is_plain_http():
    own = {name: value.replace("https", "http") for name, value in DOCUMENT.items()}

    found = metadata.parse(json.dumps(own).encode(), issuer="http://id.example")

    assert found.issuer == "http://id.example"
