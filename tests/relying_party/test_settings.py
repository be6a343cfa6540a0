from datetime import timedelta

import pytest
from pydantic import ValidationError

from relying_party.settings import RelyingPartySettings
from tests.programs import SECRETS


def test_the_addresses_at_the_identity_program_follow_from_the_issuer():
    settings = RelyingPartySettings(issuer="https://id.example")

    assert settings.identity_api == "https://id.example/api"
    assert settings.profile_url == "https://id.example/account"
    assert settings.login_security_url == "https://id.example/account/security"


def test_sessions_last_as_long_as_is_set():
    settings = RelyingPartySettings(session_idle_minutes=30, session_hours=8)

    assert settings.session_idle == timedelta(minutes=30)
    assert settings.session_absolute == timedelta(hours=8)


@pytest.mark.security("19.1")
@pytest.mark.parametrize(
    "issuer",
    [
        "https://id.example/",
        "https://id.example/path",
        "https://id.example?x=1",
        "https://user@id.example",
        "ftp://id.example",
        "id.example",
        "",
    ],
)
def test_an_issuer_is_an_origin(issuer):
    with pytest.raises(ValidationError):
        RelyingPartySettings(issuer=issuer)


@pytest.mark.security("19.1")
def test_production_wants_https():
    with pytest.raises(ValidationError):
        RelyingPartySettings(**SECRETS, mode="production", issuer="http://id.example")

    assert RelyingPartySettings(**SECRETS, mode="production", issuer="http://localhost:9000")


@pytest.mark.security("8.1")
@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS1", ""])
def test_only_signatures_with_key_pairs_can_be_set(algorithm):
    with pytest.raises(ValidationError):
        RelyingPartySettings(id_token_algorithm=algorithm)
