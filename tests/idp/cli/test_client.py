"""Operators register applications."""

import json

import pytest
from joserfc.jwk import ECKey

from kernel.errors import NotFound, Refused

REDIRECT_URI = "https://app.example/callback"


@pytest.mark.product("OP-1", "OPS-3")
def test_a_registered_application_gets_an_id_and_a_secret(ask):
    made = ask("client", "create", "--name", "Shop", "--redirect-uri", REDIRECT_URI)

    assert set(made) == {"client_id", "client_secret"}
    assert len(made["client_secret"]) >= 43


def test_everything_that_was_asked_for_is_registered(ask):
    made = ask(
        *("client", "create", "--name", "Shop", "--redirect-uri", REDIRECT_URI),
        *("--post-logout-redirect-uri", "https://app.example/bye"),
        *("--backchannel-logout-uri", "https://app.example/backchannel"),
        *("--security-events-uri", "https://app.example/security-events"),
        *("--grant", "authorization_code", "--grant", "client_credentials"),
        *("--auth-method", "client_secret_post", "--scope", "openid email"),
        *("--audience", "https://api.example", "--profile", "legacy", "--first-party"),
    )

    (listed,) = ask("client", "list")

    assert listed == {
        "client_id": made["client_id"],
        "name": "Shop",
        "profile": "legacy",
        "application": None,
        "first_party": True,
        "disabled": False,
        "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["authorization_code", "client_credentials"],
        "redirect_uris": [REDIRECT_URI],
        "post_logout_redirect_uris": ["https://app.example/bye"],
        "backchannel_logout_uri": "https://app.example/backchannel",
        "security_events_uri": "https://app.example/security-events",
        "scopes": ["openid", "email"],
        "audiences": ["https://api.example"],
    }


@pytest.mark.product("OP-3", "OPS-3")
def test_a_client_signs_people_in_to_an_application_of_the_accounts(ask, run, tmp_path):
    crm = {"id": "crm", "name": "CRM", "audience": "https://crm.example", "context": "account"}
    declaration = tmp_path / "crm.json"
    declaration.write_text(json.dumps(crm))
    run("application", "declare", str(declaration))
    made = ask(
        *("client", "create", "--name", "CRM", "--redirect-uri", REDIRECT_URI),
        *("--application", "crm"),
    )
    registered = ask("client", "list")[0]["application"]

    run("client", "use-application", made["client_id"])
    without = ask("client", "list")[0]["application"]
    run("client", "use-application", made["client_id"], "crm")

    assert (registered, without) == ("crm", None)
    assert ask("client", "list")[0]["application"] == "crm"
    unknown = run("client", "use-application", made["client_id"], "nothing", status=1)
    assert isinstance(unknown.exception, Refused)


def test_an_application_without_pages_gets_tokens_for_itself(ask):
    ask("client", "create", "--name", "Robot")

    assert ask("client", "list")[0]["grant_types"] == ["client_credentials"]


def test_an_application_with_a_key_has_no_secret(ask, tmp_path):
    key = ECKey.generate_key("P-256", {"kid": "first"})
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))

    made = ask(
        *("client", "create", "--name", "Robot", "--auth-method", "private_key_jwt"),
        *("--jwks", str(jwks)),
    )

    assert made["client_secret"] is None


@pytest.mark.parametrize("text", ["not json", "[]", '{"keys": 1}'])
def test_a_file_without_keys_is_refused(run, tmp_path, text):
    path = tmp_path / "jwks.json"
    path.write_text(text)

    result = run("client", "create", "--name", "Robot", "--jwks", str(path), status=2)

    assert "--jwks" in result.output


@pytest.mark.security("6.2")
def test_an_address_that_may_not_be_registered_is_refused(run):
    result = run(
        *("client", "create", "--name", "Shop", "--redirect-uri", "http://app.example/#x"),
        status=1,
    )

    assert isinstance(result.exception, Refused)


def test_people_read_a_table(run):
    run("client", "create", "--name", "Shop", "--client-id", "shop", "--redirect-uri", REDIRECT_URI)

    listed = run("client", "list").stdout

    assert "shop" in listed
    assert "client_secret_basic" in listed


def test_people_read_the_secret_once(run):
    made = run("client", "create", "--name", "Shop", "--redirect-uri", REDIRECT_URI).stdout

    assert "client_secret" in made


def test_a_new_secret_is_another_one(ask):
    made = ask("client", "create", "--name", "Robot")

    changed = ask("client", "rotate-secret", made["client_id"])

    assert changed["client_id"] == made["client_id"]
    assert changed["client_secret"] != made["client_secret"]


def test_people_read_a_new_secret(run, ask):
    made = ask("client", "create", "--name", "Robot")

    assert "client_secret" in run("client", "rotate-secret", made["client_id"]).stdout


def test_a_disabled_application_is_listed_so(ask, run):
    made = ask("client", "create", "--name", "Robot")

    run("client", "disable", made["client_id"])

    assert ask("client", "list")[0]["disabled"]


def test_an_application_that_nobody_registered_is_not_found(run):
    assert isinstance(run("client", "disable", "nobody", status=1).exception, NotFound)


@pytest.mark.product("OP-5")
def test_what_an_application_was_told_can_be_seen(ask, run):
    made = ask("client", "create", "--name", "Shop", "--redirect-uri", REDIRECT_URI)

    assert ask("client", "deliveries", made["client_id"]) == {"feed": None, "events": []}
    assert "nothing was sent" in run("client", "deliveries", made["client_id"]).stdout
    assert isinstance(run("client", "deliveries", "nobody", status=1).exception, NotFound)
