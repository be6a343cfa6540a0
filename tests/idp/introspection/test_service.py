"""What a client may know of a token, and what it never learns."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from consent.oauth import service as consents
from idp import logout
from idp.clients import service as clients
from idp.introspection import service
from idp.introspection.service import INACTIVE
from idp.keys import service as keys
from idp.settings import current_settings
from idp.token import client_credentials
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import API, ISSUER, App, a_person, allow, an_app
from tests.idp.token.test_refresh_token import _refresh, _tokens


def _inspect(token: str, app: App, now=NOON) -> dict[str, Any]:
    with db.reading() as session:
        return service.inspect(session, token, client=app.registered(), issuer=ISSUER, now=now)


@pytest.mark.product("OP-1")
def test_a_client_sees_its_own_tokens(identity_app: Flask):
    app, person_id = an_app(first_party=True), a_person()
    made = _tokens(app, person_id=person_id)

    access, refresh = (_inspect(made[name], app) for name in ("access_token", "refresh_token"))

    assert access["active"] is True
    assert (access["sub"], access["client_id"], access["aud"]) == (str(person_id), app.id, ISSUER)
    assert access["scope"] == "openid email offline_access"
    assert access["token_type"] == "Bearer"
    assert "gid" not in access
    assert (refresh["active"], refresh["sub"]) == (True, str(person_id))


@pytest.mark.product("OP-1")
@pytest.mark.security("7.7")
def test_an_api_sees_tokens_that_are_meant_for_it_and_no_others(identity_app: Flask):
    app = an_app(first_party=True)
    api, stranger = an_app(serves=(API,)), an_app()
    for_api = _tokens(app, resources=(API,))["access_token"]
    made = _tokens(app)

    assert _inspect(for_api, api)["active"] is True
    assert _inspect(for_api, stranger) == INACTIVE
    assert _inspect(made["access_token"], api) == INACTIVE
    assert _inspect(made["refresh_token"], api) == INACTIVE


def test_a_machines_token_is_seen_by_its_api(identity_app: Flask):
    app, api = an_app(), an_app(serves=(API,))
    token = client_credentials.issue(
        app.registered(),
        scope=None,
        resources=(),
        key=keys.signing_key("ES256", now=NOON),
        settings=current_settings(),
        now=NOON,
    )["access_token"]

    found = _inspect(token, api)

    assert (found["active"], found["sub"], found["scope"]) == (True, app.id, "reports:read")


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "a.b", "ż", "x" * 20_000, "." * 500])
def test_what_is_no_token_is_inactive(identity_app: Flask, token):
    assert _inspect(token, an_app()) == INACTIVE


@pytest.mark.security("7.3", "7.7")
def test_what_was_ended_is_inactive_at_once(identity_app: Flask):
    def signed_out(person_id, _app):
        with db.transaction() as session:
            logout.end_sessions(session, person_id=person_id, reason="test", now=NOON)

    def consent_withdrawn(person_id, app):
        with db.transaction() as session:
            consents.withdraw(session, person_id=person_id, client_id=app.id, now=NOON)

    def switched_off(_person_id, app):
        with db.transaction() as session:
            clients.disable(session, app.id, now=NOON)

    for change in (signed_out, consent_withdrawn, switched_off):
        app, api, person_id = an_app(), an_app(serves=(ISSUER,)), a_person()
        allow(app, person_id, scopes=("openid", "email", "offline_access"))
        token = _tokens(app, person_id=person_id)["access_token"]
        assert _inspect(token, api)["active"] is True

        change(person_id, app)

        assert _inspect(token, api) == INACTIVE


def test_spent_and_expired_refresh_tokens_are_inactive(identity_app: Flask):
    app = an_app(first_party=True)
    first = _tokens(app)["refresh_token"]
    second = _refresh(app, first)["refresh_token"]

    assert _inspect(first, app) == INACTIVE
    assert _inspect(second, app)["active"] is True
    assert _inspect(second, app, now=NOON + timedelta(days=91)) == INACTIVE


def test_a_refresh_token_ends_with_the_consent(identity_app: Flask):
    app, person_id = an_app(), a_person()
    allow(app, person_id, scopes=("openid", "email", "offline_access"))
    token = _tokens(app, person_id=person_id)["refresh_token"]
    with db.transaction() as session:
        consents.withdraw(session, person_id=person_id, client_id=app.id, now=NOON)

    assert _inspect(token, app) == INACTIVE
