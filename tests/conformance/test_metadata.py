"""OIDC.md 1 and 2: what the provider publishes about itself."""

from typing import Any

import pytest

from idp.keys import service as keys
from kernel import clock
from tests.conformance.application import http
from tests.conformance.provider import Provider

_ARRAYS = (
    *("response_types_supported", "response_modes_supported", "grant_types_supported"),
    *("subject_types_supported", "id_token_signing_alg_values_supported"),
    *("token_endpoint_auth_methods_supported", "scopes_supported", "claims_supported"),
    *("code_challenge_methods_supported", "ui_locales_supported", "acr_values_supported"),
)
_SIGNED_WITH = ("RS256", "ES256")
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}


@pytest.fixture(scope="module")
def document(provider: Provider) -> dict[str, Any]:
    reply = http.get(f"{provider.issuer}/.well-known/openid-configuration", timeout=60)
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "application/json"
    found: dict[str, Any] = reply.json()
    return found


def jwks(provider: Provider) -> list[dict[str, Any]]:
    reply = http.get(f"{provider.issuer}/jwks", timeout=60)
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("application/")
    found: list[dict[str, Any]] = reply.json()["keys"]
    return found


@pytest.mark.product("OP-1")
@pytest.mark.security("20.2")
def test_the_issuer_is_the_address_of_the_document(provider: Provider, document: dict[str, Any]):
    """OIDC.md 1: issuer."""
    assert document["issuer"] == provider.issuer


def test_every_endpoint_is_at_the_issuer(provider: Provider, document: dict[str, Any]):
    """OIDC.md 1: endpoints; https wherever the issuer is."""
    endpoints = {name for name in document if name.endswith("_endpoint")} | {"jwks_uri"}

    assert endpoints >= {
        *("authorization_endpoint", "token_endpoint", "userinfo_endpoint"),
        *("introspection_endpoint", "revocation_endpoint", "end_session_endpoint"),
    }
    assert all(document[name].startswith(f"{provider.issuer}/") for name in endpoints)


def test_every_endpoint_answers(document: dict[str, Any]):
    """OIDC.md 1: nothing is advertised that is not there."""
    for name in [name for name in document if name.endswith("_endpoint")]:
        assert http.get(document[name], timeout=60).status_code not in {404, 500}, name


def test_lists_are_lists_of_strings_with_something_in_them(document: dict[str, Any]):
    """OIDC.md 1: JSON types."""
    for name in _ARRAYS:
        assert document[name], name
        assert all(isinstance(each, str) and each for each in document[name]), name
    for name in [name for name in document if name.endswith(("_supported",))]:
        assert isinstance(document[name], bool | list), name


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("response_types_supported", "code"),
        ("subject_types_supported", "public"),
        ("id_token_signing_alg_values_supported", "RS256"),
        ("grant_types_supported", "authorization_code"),
        ("grant_types_supported", "refresh_token"),
        ("scopes_supported", "openid"),
        ("scopes_supported", "offline_access"),
        ("token_endpoint_auth_methods_supported", "client_secret_basic"),
        ("token_endpoint_auth_methods_supported", "client_secret_post"),
        ("token_endpoint_auth_methods_supported", "private_key_jwt"),
        ("response_modes_supported", "form_post"),
        ("code_challenge_methods_supported", "S256"),
    ],
)
def test_what_the_profiles_use_is_listed(document: dict[str, Any], member: str, value: str):
    """OIDC.md 1."""
    assert value in document[member]


def test_what_is_not_there_is_not_listed(document: dict[str, Any]):
    """OIDC.md 1: truth. `none` and HMAC would start tests of their own."""
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert set(document["id_token_signing_alg_values_supported"]) == set(_SIGNED_WITH)
    assert document["request_parameter_supported"] is False
    # Left out, this one would mean true.
    assert document["request_uri_parameter_supported"] is False


def test_languages_are_spelled_as_bcp_47_wants(document: dict[str, Any]):
    """OIDC.md 1: ui_locales_supported."""
    assert document["ui_locales_supported"] == ["en", "pl"]


def test_logout_is_announced(document: dict[str, Any]):
    """OIDC.md 9 and 10: discovery."""
    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True


def test_the_document_of_rfc_8414_says_the_same(provider: Provider, document: dict[str, Any]):
    other = http.get(f"{provider.issuer}/.well-known/oauth-authorization-server", timeout=60)

    assert other.json() == document


@pytest.mark.product("OP-1")
def test_every_key_has_a_name_of_its_own_and_nothing_private(provider: Provider):
    """OIDC.md 2, OIDC.md 0: 7."""
    keys = jwks(provider)

    kids = [key["kid"] for key in keys]
    assert all(kids)
    assert len(set(kids)) == len(kids)
    assert [key for key in keys if _PRIVATE & set(key)] == []


def test_there_is_a_key_for_each_algorithm(provider: Provider):
    """OIDC.md 2: a signing key that fits each algorithm used."""
    found = {(key["alg"], key["kty"], key["use"]) for key in jwks(provider)}

    assert found == {("RS256", "RSA", "sig"), ("ES256", "EC", "sig")}


@pytest.mark.security("8.5")
def test_a_rotation_publishes_new_material_and_keeps_the_old(provider: Provider):
    """OIDC.md 2: key rotation while running."""
    before = jwks(provider)

    with provider.app.app_context():
        keys.rotate(now=clock.now())

    after = jwks(provider)
    new = [key for key in after if key["kid"] not in {old["kid"] for old in before}]
    material = {key.get("n", key.get("x")) for key in before}
    assert {key["kty"] for key in new} == {"RSA", "EC"}
    assert not material & {key.get("n", key.get("x")) for key in new}
    assert [key for key in before if key not in after] == []


def test_programs_may_keep_the_keys_for_as_long_as_we_say(provider: Provider):
    """SECURITY.md 8.5."""
    reply = http.get(f"{provider.issuer}/jwks", timeout=60)

    assert reply.headers["Cache-Control"] == "public, max-age=900"
