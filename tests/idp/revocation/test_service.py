import pytest
from flask import Flask

from idp.introspection import service as introspection
from idp.revocation import service
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import ISSUER, App, an_app
from tests.idp.token.test_refresh_token import _tokens


def _revoke(token: str, app: App) -> None:
    service.revoke(token, client=app.registered(), issuer=ISSUER, now=NOON)


def _is_active(token: str, app: App) -> bool:
    with db.reading() as session:
        client = app.registered()
        found = introspection.inspect(session, token, client=client, issuer=ISSUER, now=NOON)
    return bool(found["active"])


@pytest.mark.product("OP-1")
def test_with_a_refresh_token_goes_all_that_it_bought(identity_app: Flask):
    app = an_app(first_party=True)
    made = _tokens(app)

    _revoke(made["refresh_token"], app)

    assert not _is_active(made["refresh_token"], app)
    assert not _is_active(made["access_token"], app)


@pytest.mark.product("OP-1")
def test_an_access_token_goes_alone(identity_app: Flask):
    app = an_app(first_party=True)
    made = _tokens(app)

    _revoke(made["access_token"], app)
    _revoke(made["access_token"], app)

    assert not _is_active(made["access_token"], app)
    assert _is_active(made["refresh_token"], app)


@pytest.mark.security("7.7")
def test_somebody_elses_token_stays(identity_app: Flask):
    app, other = an_app(first_party=True), an_app()
    made = _tokens(app)

    for token in (made["refresh_token"], made["access_token"]):
        _revoke(token, other)

        assert _is_active(token, app)


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "ż.ż.ż"])
def test_an_unknown_token_changes_nothing(identity_app: Flask, token):
    _revoke(token, an_app())
