"""Who may ask for a logout on whose behalf, and where it may lead."""

import pytest
from flask import Flask
from joserfc.jwk import ECKey

from idp.clients import service as clients
from idp.keys import service as keys
from idp.logout import request as requests
from idp.logout.request import CannotFollow, LogoutRequest
from idp.protocol import jwt
from idp.protocol.jwt import TokenKey
from idp.protocol.parameters import Parameters
from kernel.ids import new_id
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import AFTER_LOGOUT, ISSUER, App, an_app

PERSON, SID = new_id(), new_id()


def _hint(app: App, *, key: TokenKey | None = None, typ: str = "JWT", **claims) -> str:
    facts = {"iss": ISSUER, "aud": app.id, "sub": str(PERSON), "sid": str(SID), "exp": 1} | claims
    return jwt.sign(facts, key or keys.signing_key("ES256", now=NOON), typ=typ)


def _read(**query) -> LogoutRequest:
    with db.reading() as session:
        return requests.read(session, Parameters(query.items()), issuer=ISSUER, now=NOON)


@pytest.mark.product("OP-1")
@pytest.mark.security("9.1")
def test_a_hint_and_a_registered_address_lead_back(identity_app: Flask):
    """Authlib never redirects for a hint whose audience is a list, and then only with client_id."""
    app = an_app()

    asked = _read(
        id_token_hint=_hint(app), post_logout_redirect_uri=AFTER_LOGOUT, state="s", ui_locales="pl"
    )

    assert asked.hint is not None
    assert (asked.hint.client_id, asked.hint.person_id, asked.hint.sid) == (app.id, PERSON, SID)
    assert (asked.redirect_uri, asked.state) == (AFTER_LOGOUT, "s")


@pytest.mark.product("OP-1")
@pytest.mark.security("9.1")
def test_without_a_hint_nobody_is_sent_anywhere(identity_app: Flask):
    app = an_app()

    asked = _read(client_id=app.id, post_logout_redirect_uri=AFTER_LOGOUT)

    assert (asked.hint, asked.redirect_uri) == (None, None)
    assert _read() == LogoutRequest(None, None, None)


@pytest.mark.product("OP-1")
@pytest.mark.security("9.1")
@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"post_logout_redirect_uri": "https://evil.example"}, "post_logout_redirect_uri"),
        ({"post_logout_redirect_uri": f"{AFTER_LOGOUT}?x=1"}, "post_logout_redirect_uri"),
        ({"client_id": "another"}, "client_id"),
        ({"id_token_hint": "a.b.c"}, "id_token_hint"),
        ({"id_token_hint": "eyJhbGciOiJub25lIn0.e30."}, "id_token_hint"),
        ({"state": "s" * 2_001}, "request"),
    ],
)
def test_a_request_can_not_be_followed_when(identity_app: Flask, changes, parameter):
    app = an_app()
    good = {"id_token_hint": _hint(app), "post_logout_redirect_uri": AFTER_LOGOUT}

    with pytest.raises(CannotFollow) as refused:
        _read(**(good | changes))

    assert refused.value.parameter == parameter


@pytest.mark.security("9.1", "8.4")
def test_a_hint_that_is_not_our_id_token_is_refused(identity_app: Flask):
    app = an_app()
    own_key = TokenKey(keys.signing_key("ES256", now=NOON).id, "ES256", ECKey.generate_key("P-256"))

    for hint in (
        _hint(app, key=own_key),
        _hint(app, typ="at+jwt"),
        _hint(app, iss="https://evil.example"),
        _hint(app, sub="nobody"),
        _hint(app, sid="not an id"),
    ):
        with pytest.raises(CannotFollow) as refused:
            _read(id_token_hint=hint)
        assert refused.value.parameter == "id_token_hint"


def test_a_hint_for_an_application_that_is_gone_leads_nowhere(identity_app: Flask):
    app = an_app()
    hint = _hint(app)
    with db.transaction() as session:
        clients.disable(session, app.id, now=NOON)

    with pytest.raises(CannotFollow):
        _read(id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT)


def test_a_list_of_audiences_names_no_application(identity_app: Flask):
    app = an_app()

    asked = _read(id_token_hint=_hint(app, aud=[app.id, "other"]))

    assert asked.hint is not None
    assert asked.hint.client_id == ""
