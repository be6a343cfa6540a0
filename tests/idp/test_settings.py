import pytest
from flask import Flask
from pydantic import ValidationError

from idp.settings import IdentitySettings, current_settings
from tests.programs import SECRETS


def _settings(**changes) -> IdentitySettings:
    return IdentitySettings(**{**SECRETS, **changes})


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "id.example",
        "ftp://id.example",
        "https://id.example/",
        "https://id.example/path",
        "https://id.example?x",
        "https://id.example#x",
        "https://user@id.example",
        "https://",
    ],
)
def test_an_issuer_is_scheme_host_and_port(issuer):
    with pytest.raises(ValidationError):
        _settings(issuer=issuer)


@pytest.mark.security("19.1")
def test_production_needs_https_except_on_this_machine():
    with pytest.raises(ValidationError, match="https issuer"):
        _settings(mode="production", issuer="http://id.example")

    assert _settings(mode="production", issuer="https://id.example").production
    assert _settings(mode="production", issuer="http://localhost:9000").production


@pytest.mark.security("3.6")
def test_in_production_an_owner_has_a_day_at_least_to_object_to_lost_factors():
    named = {"mode": "production", "issuer": "https://id.example"}

    with pytest.raises(ValidationError, match="24 hours"):
        _settings(**named, lost_factors_waiting_hours=23)

    assert _settings(**named).lost_factors_waiting_hours == 72
    assert _settings(lost_factors_waiting_hours=0).lost_factors_waiting_hours == 0


@pytest.mark.security("8.7")
@pytest.mark.parametrize("bits", [1024, 2047, 4096])
def test_rsa_keys_have_one_of_two_sizes(bits):
    with pytest.raises(ValidationError):
        _settings(rsa_bits=bits)


def test_the_database_is_in_the_home_folder_unless_named(tmp_path):
    assert _settings(home=tmp_path).database_address == f"sqlite:///{tmp_path}/identity.sqlite3"
    named = _settings(identity_database_url="postgresql+psycopg://db/identity")
    assert named.database_address == "postgresql+psycopg://db/identity"


def test_the_application_at_work_knows_its_settings(identity_app: Flask):
    assert current_settings().api_audience == "http://localhost:9000/api"


@pytest.mark.security("4.8")
@pytest.mark.parametrize(
    ("domain", "is_ours"),
    [
        ("", True),
        ("id.example.pl", True),
        ("example.pl", True),
        ("pl", False),
        ("evil.pl", False),
        ("ample.pl", False),
        ("login.id.example.pl", False),
        (".example.pl", False),
        ("example.pl.", False),
    ],
)
def test_passkeys_belong_to_the_issuers_host_or_a_domain_above_it(domain, is_ours):
    named = {"issuer": "https://id.example.pl", "passkey_domain": domain}

    if is_ours:
        assert _settings(**named).passkey_relying_party == (domain or "id.example.pl")
    else:
        with pytest.raises(ValidationError, match="passkey_domain"):
            _settings(**named)
