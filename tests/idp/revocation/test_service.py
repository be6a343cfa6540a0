import pytest
from flask import Flask
from sqlalchemy import select

from idp.events import ProviderEvent
from idp.grants.models import Grant
from idp.introspection import service as introspection
from idp.revocation import service
from tenants.audit import ledger, person_chain
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


@pytest.mark.security("17.1")
def test_what_was_given_back_is_in_the_persons_history_once(identity_app: Flask):
    app = an_app(first_party=True)
    made = _tokens(app)

    for token in ("access_token", "access_token", "refresh_token", "refresh_token"):
        _revoke(made[token], app)

    with db.reading() as session:
        person_id = session.scalars(select(Grant.person_id)).one()
        rows = ledger.history(session, chain=person_chain(person_id))
    events = [row.event for row in rows if row.actor == f"client:{app.id}"]
    assert events == [ProviderEvent.GRANT_REVOKED, ProviderEvent.ACCESS_TOKEN_REVOKED]


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
