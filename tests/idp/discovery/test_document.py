"""The metadata says what works, and Authlib finds it in order."""

import pytest

from idp.discovery import document

ISSUER = "https://id.example"


def test_the_documents_follow_both_specifications():
    document.check(ISSUER)


@pytest.mark.product("OP-1")
def test_every_endpoint_stands_at_the_issuer():
    metadata = document.metadata(ISSUER)

    addresses = {
        name: value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri"))
    }
    assert metadata["issuer"] == ISSUER
    assert all(address.startswith(f"{ISSUER}/") for address in addresses.values())


@pytest.mark.product("OP-1")
@pytest.mark.security("6.3", "6.4", "6.6")
def test_nothing_is_promised_that_is_not_kept():
    metadata = document.metadata(ISSUER)

    assert metadata["response_types_supported"] == ["code"]
    assert metadata["response_modes_supported"] == ["query", "form_post"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["id_token_signing_alg_values_supported"] == ["RS256", "ES256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert metadata["request_uri_parameter_supported"] is False
    assert "registration_endpoint" not in metadata
    assert "frontchannel_logout_supported" not in metadata
