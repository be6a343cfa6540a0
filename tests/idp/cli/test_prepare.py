"""What the first start makes, and what production refuses to find."""

import json

import pytest
from joserfc.jwk import ECKey

from idp.cli.prepare import differs, prepare, public_jwk, refusals
from tenants.database import db


@pytest.fixture
def prepared(run, monkeypatch):
    """Prepare with keys for our applications; may be done again."""
    for name in ("PORTAL", "CRM"):
        key = ECKey.generate_key("P-256").as_dict(private=True)
        monkeypatch.setenv(f"KLUCZNIK_{name}_CLIENT_KEY", json.dumps(key))
    prepare()
    return prepare


@pytest.mark.product("OPS-1")
def test_our_applications_are_registered_as_first_party(prepared, ask):
    clients = {client["client_id"]: client for client in ask("client", "list")}

    assert set(clients) == {"portal", "crm"}
    assert all(client["first_party"] for client in clients.values())
    assert clients["portal"]["redirect_uris"] == ["http://localhost:9001/callback"]
    assert clients["crm"]["token_endpoint_auth_method"] == "private_key_jwt"


@pytest.mark.product("TEN-15", "CRM-3")
def test_of_our_applications_the_crm_alone_provisions(prepared, ask):
    scopes = {client["client_id"]: client["scopes"] for client in ask("client", "list")}

    assert "provisioning" in scopes["crm"]
    assert "provisioning" not in scopes["portal"]


@pytest.mark.product("OPS-1")
def test_the_demo_people_are_made(prepared, ask):
    people = ask("demo")["people"]

    factors = [ask("person", "show", person["email"])["factors"] for person in people]

    assert all(factor["password"] for factor in factors)
    assert [factor["authenticator_app"] for factor in factors] == [
        person["totp_secret"] is not None for person in people
    ]


def test_doing_it_again_changes_nothing(prepared, ask):
    before = ask("client", "list"), ask("keys", "list")

    prepared()

    assert (ask("client", "list"), ask("keys", "list")) == before


def test_an_address_that_was_set_anew_is_registered(prepared, ask, monkeypatch):
    monkeypatch.setenv("KLUCZNIK_PORTAL_URL", "http://localhost:7777")

    prepared()
    portal = next(one for one in ask("client", "list") if one["client_id"] == "portal")

    assert portal["redirect_uris"] == ["http://localhost:7777/callback"]


def test_without_keys_our_applications_are_left_to_the_operator(run, ask):
    prepare()

    assert ask("client", "list") == []


@pytest.mark.security("19.1")
def test_production_makes_no_demo_people(run, ask, monkeypatch, identity_app):
    monkeypatch.setenv("KLUCZNIK_MODE", "production")
    monkeypatch.setenv("KLUCZNIK_ISSUER", "https://id.example.pl")

    prepare()

    with db.reading() as session:
        assert refusals(session) == []


def test_only_the_public_half_of_a_key_is_registered():
    key = ECKey.generate_key("P-256")

    public = public_jwk(json.dumps(key.as_dict(private=True)))

    assert "d" not in public
    assert public["kid"]


def test_lists_differ_by_their_order_and_sets_do_not():
    assert differs(("a", "b"), ("b", "a"))
    assert not differs(frozenset({"a", "b"}), ("b", "a"))
