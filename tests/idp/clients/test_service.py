from datetime import timedelta

import pytest
from flask import Flask
from joserfc.jwk import ECKey
from sqlalchemy import select

from consent.oauth import service as consents
from idp.clients import service as clients
from idp.clients.models import ClientSecret
from idp.clients.service import NotRegistrable
from kernel.crypto import hash_token
from kernel.errors import NotFound
from kernel.ledger import INSTALLATION
from tenants.applications.models import Application
from tenants.audit import LedgerEntry, ledger
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import CALLBACK, a_person, an_app
from tests.tenants.making import an_application


@pytest.mark.security("7.1")
def test_a_secret_is_shown_once_and_kept_as_a_digest(identity_app: Flask):
    app = an_app()

    assert app.secret is not None
    assert len(app.secret) >= 43
    with db.reading() as session:
        kept = session.scalars(select(ClientSecret.secret_hash)).one()
    assert kept == hash_token(app.secret)


def test_ours_get_the_fast_algorithm_and_others_the_one_that_all_know(identity_app: Flask):
    ours = an_app(first_party=True, id_token_signed_response_alg=None).registered()
    theirs = an_app(id_token_signed_response_alg=None).registered()

    assert (ours.id_token_signed_response_alg, ours.refresh_without_offline_access) == (
        "ES256",
        True,
    )
    assert (theirs.id_token_signed_response_alg, theirs.refresh_without_offline_access) == (
        "RS256",
        False,
    )


@pytest.mark.security("6.2", "7.10", "8.7")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_id": "0198c0de-0000-7000-8000-000000000000"}, "no UUID"),
        ({"client_id": "A B"}, "client_id must be"),
        ({"name": " "}, "name must be"),
        ({"name": "a\nb"}, "name must be"),
        ({"profile": "fapi9"}, "profile is unknown"),
        ({"application_type": "tv"}, "application_type"),
        ({"scopes": ('open"id',)}, "scopes are malformed"),
        ({"id_token_signed_response_alg": "none"}, "signing algorithm"),
        ({"grant_types": ("password",)}, "grant_types"),
        ({"grant_types": ("implicit",)}, "grant_types"),
        ({"grant_types": ()}, "grant_types"),
        ({"grant_types": ("refresh_token",)}, "comes with authorization_code"),
        ({"token_endpoint_auth_method": "none", "profile": "legacy"}, "asks for PKCE"),
        ({"redirect_uris": ()}, "redirect_uris are missing"),
        ({"redirect_uris": ("https://app.example/#x",)}, "has a fragment"),
        ({"redirect_uris": tuple(f"https://a.example/{n}" for n in range(51))}, "too many"),
        ({"post_logout_redirect_uris": ("http://app.example/",)}, "must be https"),
        ({"backchannel_logout_uri": "ftp://app.example/"}, "scheme is not allowed"),
        ({"jwks_uri": "http://app.example/jwks"}, "must be https"),
        ({"audiences": ("crm",)}, "not an absolute address"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "auth_method is unknown"),
        (
            {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}},
            "no usable public key",
        ),
        (
            {
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks": {"keys": [ECKey.generate_key("P-256").as_dict(private=True)]},
            },
            "no usable public key",
        ),
        ({"jwks": {}, "jwks_uri": "https://app.example/jwks"}, "exclude each other"),
    ],
)
def test_an_application_is_not_registered_when(identity_app: Flask, changes, reason):
    with pytest.raises(NotRegistrable) as refused:
        an_app(**changes)

    assert reason in refused.value.detail


def test_private_key_jwt_needs_keys(identity_app: Flask):
    with pytest.raises(NotRegistrable), db.transaction() as session:
        clients.register(
            session,
            name="x",
            redirect_uris=[CALLBACK],
            token_endpoint_auth_method=clients.PRIVATE_KEY_JWT,
            now=NOON,
        )


def test_a_public_client_gets_no_tokens_for_itself(identity_app: Flask):
    with pytest.raises(NotRegistrable), db.transaction() as session:
        clients.register(
            session,
            name="x",
            redirect_uris=[CALLBACK],
            token_endpoint_auth_method=clients.NONE,
            grant_types=clients.GRANT_TYPES,
            now=NOON,
        )


def test_an_id_is_given_once(identity_app: Flask):
    an_app(client_id="portal")

    with pytest.raises(NotRegistrable):
        an_app(client_id="portal")


@pytest.mark.security("7.1")
def test_two_secrets_are_good_while_one_replaces_the_other(identity_app: Flask):
    app = an_app()
    with db.transaction() as session:
        clients.rotate_secret(session, app.id, now=NOON, overlap=timedelta(hours=1))

    old, new = sorted(app.registered().secrets, key=lambda secret: secret.expires_at is None)

    assert old.expires_at == NOON + timedelta(hours=1)
    assert new.expires_at is None


@pytest.mark.security("7.1")
def test_a_third_secret_ends_the_first(identity_app: Flask):
    app = an_app()
    with db.transaction() as session:
        clients.rotate_secret(session, app.id, now=NOON)
    with db.transaction() as session:
        clients.rotate_secret(session, app.id, now=NOON + timedelta(seconds=1))

    assert len(app.registered().secrets) == 2
    assert hash_token(app.secret or "") not in {each.digest for each in app.registered().secrets}


def test_a_disabled_application_is_not_found(identity_app: Flask):
    app = an_app()
    with db.transaction() as session:
        clients.disable(session, app.id, now=NOON)

    with db.reading() as session:
        assert clients.find(session, app.id) is None
        assert [client.id for client in clients.listed(session)] == [app.id]


def test_what_changes_is_checked_like_what_is_new(identity_app: Flask):
    app = an_app()

    with pytest.raises(NotRegistrable), db.transaction() as session:
        clients.update_metadata(session, app.id, redirect_uris=["http://evil.example"], now=NOON)
    with pytest.raises(NotRegistrable), db.transaction() as session:
        clients.update_metadata(session, app.id, secrets=(), now=NOON)
    with db.transaction() as session:
        clients.update_metadata(session, app.id, name="Another name", now=NOON)

    assert app.registered().name == "Another name"
    assert app.registered().redirect_uris == (CALLBACK,)


@pytest.mark.security("10.1")
@pytest.mark.parametrize(
    ("changed", "asks_again"),
    [
        ({"name": "Another name"}, True),
        ({"owner": "Somebody else"}, True),
        ({"name": "An application", "owner": None}, False),
        ({"scopes": ("openid",)}, False),
    ],
)
def test_an_application_under_another_name_is_agreed_to_anew(
    identity_app: Flask, changed, asks_again
):
    app, person_id = an_app(name="An application"), a_person()
    with db.transaction() as session:
        consents.give(
            session,
            person_id=person_id,
            client_id=app.id,
            account=None,
            scopes=["openid"],
            now=NOON,
        )

    with db.transaction() as session:
        clients.update_metadata(session, app.id, **changed, now=NOON)

    with db.reading() as session:
        asked = consents.is_needed(
            session, person_id=person_id, client_id=app.id, account=None, scopes=["openid"]
        )
        row = ledger.history(session, chain=INSTALLATION)[0]
    assert asked is asks_again
    assert row.details.get("consents_lapsed") == (1 if asks_again else None)


@pytest.mark.parametrize("act", ["disable", "rotate_secret", "update_metadata", "remove"])
def test_what_is_not_there_can_not_be_changed(identity_app: Flask, act):
    with pytest.raises(NotFound), db.transaction() as session:
        getattr(clients, act)(session, "nobody", now=NOON)


def test_a_removed_application_takes_its_secrets_along(identity_app: Flask):
    app = an_app()

    with db.transaction() as session:
        clients.remove(session, app.id, now=NOON)

    with db.reading() as session:
        assert clients.find(session, app.id) is None
        assert session.scalars(select(ClientSecret)).all() == []


@pytest.mark.security("17.1")
def test_every_change_is_in_the_ledger(identity_app: Flask):
    app = an_app()
    with db.transaction() as session:
        clients.update_metadata(session, app.id, name="Another name", now=NOON)
        clients.rotate_secret(session, app.id, now=NOON)
        clients.disable(session, app.id, now=NOON)
        clients.remove(session, app.id, now=NOON)

    with db.reading() as session:
        rows = session.execute(select(LedgerEntry.event, LedgerEntry.subject)).all()
    assert {row.subject for row in rows} == {f"client:{app.id}"}
    assert {row.event for row in rows} == {
        "client:registered",
        "client:changed",
        "client:secret:rotated",
        "client:disabled",
        "client:removed",
    }


@pytest.mark.product("OP-3")
def test_what_an_application_says_of_itself_counts_from_the_commit_on(identity_app):
    an_application("crm", context="account")
    app = an_app(application="crm")
    before = app.registered()

    with db.transaction() as session:
        session.get_one(Application, "crm").context = "company"
        clients.applications_changed(session)

    assert (before.application, before.context) == ("crm", clients.IN_ACCOUNT)
    assert app.registered().context == clients.IN_COMPANY
    assert an_app().registered().context == clients.NO_CONTEXT


def test_a_client_can_not_be_of_an_application_that_nobody_declared(identity_app):
    app = an_app()

    with pytest.raises(NotRegistrable, match="not known"):
        an_app(application="nothing")
    with pytest.raises(NotRegistrable, match="not known"), db.transaction() as session:
        clients.update_metadata(session, app.id, now=NOON, application="nothing")
    with pytest.raises(NotRegistrable), db.transaction() as session:
        clients.update_metadata(session, app.id, now=NOON, context="account")
