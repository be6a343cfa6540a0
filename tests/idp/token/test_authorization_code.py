"""A code buys tokens once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from consent.oauth import service as consents
from idp.clients import service as clients
from idp.grants.models import Grant, RefreshToken
from idp.grants.state import GrantState
from idp.protocol.errors import InvalidGrant, InvalidTarget
from idp.token import authorization_code
from idp.token.authorization_code import Code, why_refuse
from kernel import clock
from kernel.ids import new_id
from tenants.audit import LedgerEntry
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import (
    API,
    CALLBACK,
    CHALLENGE,
    ISSUER,
    VERIFIER,
    App,
    a_code,
    a_person,
    allow,
    an_app,
    claims_of,
    header_of,
    tokens_for,
    trade_code,
)


def a_grant(**changes) -> GrantState:
    facts: dict[str, Any] = {
        "id": new_id(),
        "client_id": "client-a",
        "person_id": new_id(),
        "session_id": new_id(),
        "sid": new_id(),
        "scopes": ("openid",),
        "resources": (),
        "auth_time": NOON,
        "acr": "x",
        "amr": (),
        "nonce": None,
        "redeemed_at": None,
        "revoked_at": None,
        "person_is_active": True,
        "session_ended_at": None,
        "session_expires_at": NOON + timedelta(days=1),
        "consented": frozenset(),
    }
    return GrantState(**(facts | changes))


GOOD_CODE = Code(a_grant(), NOON + timedelta(seconds=60), CALLBACK, CHALLENGE)
GOOD_REQUEST: dict[str, Any] = {
    "client_id": "client-a",
    "redirect_uri": CALLBACK,
    "code_verifier": VERIFIER,
    "now": NOON,
}


def test_a_good_code_is_not_refused():
    assert why_refuse(GOOD_CODE, **GOOD_REQUEST) is None


@pytest.mark.product("OP-1")
@pytest.mark.security("6.4", "6.5")
@pytest.mark.parametrize(
    ("code", "request_", "reason"),
    [
        (None, {}, "no such code"),
        (replace(GOOD_CODE, grant=a_grant(redeemed_at=NOON)), {}, "code was redeemed before"),
        (GOOD_CODE, {"client_id": "client-b"}, "code belongs to another client"),
        (GOOD_CODE, {"now": NOON + timedelta(seconds=60)}, "code expired"),
        (GOOD_CODE, {"redirect_uri": "https://evil.example"}, "redirect_uri differs"),
        (GOOD_CODE, {"redirect_uri": ""}, "redirect_uri differs"),
        (GOOD_CODE, {"code_verifier": None}, "code_verifier does not match"),
        (GOOD_CODE, {"code_verifier": "a guess"}, "code_verifier does not match"),
        (GOOD_CODE, {"code_verifier": CHALLENGE}, "code_verifier does not match"),
        (replace(GOOD_CODE, challenge=None), {}, "code_verifier without a code_challenge"),
        (replace(GOOD_CODE, grant=a_grant(revoked_at=NOON)), {}, "the grant was revoked"),
        (replace(GOOD_CODE, grant=a_grant(person_is_active=False)), {}, "the person may not"),
        (replace(GOOD_CODE, grant=a_grant(session_ended_at=NOON)), {}, "the session was ended"),
        (replace(GOOD_CODE, grant=a_grant(session_expires_at=NOON)), {}, "the session is over"),
    ],
)
def test_a_code_is_refused_when(code, request_, reason):
    assert str(why_refuse(code, **(GOOD_REQUEST | request_))).startswith(reason)


@pytest.mark.product("OP-1", "OP-5")
@pytest.mark.security("7.5", "8.4")
def test_a_code_buys_an_access_token_and_an_id_token(identity_client: FlaskClient):
    app, person_id = an_app(), a_person()

    answer = tokens_for(identity_client, app, person_id=person_id)

    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 300
    assert answer["scope"] == "openid email offline_access"
    access, identity = claims_of(answer["access_token"]), claims_of(answer["id_token"])
    assert header_of(answer["access_token"])["typ"] == "at+jwt"
    assert header_of(answer["id_token"])["typ"] == "JWT"
    assert (access["iss"], access["sub"], access["aud"]) == (ISSUER, str(person_id), ISSUER)
    assert access["client_id"] == app.id
    assert access["exp"] - access["iat"] == 300
    assert access["jti"]
    assert not {"email", "name", "phone_number"} & (set(access) | set(identity))
    assert (identity["iss"], identity["sub"], identity["aud"]) == (ISSUER, str(person_id), app.id)
    assert identity["nonce"] == "a nonce"
    assert identity["acr"] == "urn:klucznik:acr:two-factor"
    assert identity["amr"] == ["pwd", "otp", "mfa"]
    assert identity["sid"] == access["sid"]
    assert "azp" not in identity


def test_a_request_without_nonce_gets_none_back(identity_client: FlaskClient):
    answer = tokens_for(identity_client, an_app(), nonce=None)

    assert "nonce" not in claims_of(answer["id_token"])


def test_without_openid_there_is_no_id_token(identity_client: FlaskClient):
    answer = tokens_for(identity_client, an_app(), scopes=("reports:read",))

    assert "id_token" not in answer
    assert claims_of(answer["access_token"])["aud"] == API


@pytest.mark.product("OP-1")
@pytest.mark.security("7.4")
def test_a_refresh_token_comes_with_offline_access_only(identity_client: FlaskClient):
    assert "refresh_token" in tokens_for(identity_client, an_app())
    assert "refresh_token" not in tokens_for(identity_client, an_app(), scopes=("openid",))


@pytest.mark.security("7.4")
def test_our_own_programs_get_a_refresh_token_without_it(identity_client: FlaskClient):
    ours = an_app(first_party=True)

    assert "refresh_token" in tokens_for(identity_client, ours, scopes=("openid",))


@pytest.mark.product("OP-1")
def test_a_legacy_client_may_do_without_pkce_but_not_cheat(identity_client: FlaskClient):
    app = an_app(profile="legacy", first_party=True)
    plain = a_code(app, now=clock.now(), code_challenge=None)
    other = a_code(app, now=clock.now(), code_challenge=None)
    proved = a_code(app, now=clock.now())

    assert trade_code(identity_client, app, plain, code_verifier=None).status_code == 200
    assert trade_code(identity_client, app, other).status_code == 400
    assert trade_code(identity_client, app, proved, code_verifier=None).status_code == 400


def _redeem(app: App, code: str, now=NOON, **changes):
    request = {
        "client": app.registered(),
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "now": now,
    }
    return authorization_code.redeem(code, **(request | changes))


@pytest.mark.product("OP-1")
@pytest.mark.security("6.5")
def test_redeeming_twice_revokes_what_the_first_redemption_bought(identity_app: Flask):
    app = an_app(first_party=True)
    code = a_code(app, now=NOON)
    _redeem(app, code)

    with pytest.raises(InvalidGrant):
        _redeem(app, code, now=NOON + timedelta(seconds=30))

    with db.reading() as session:
        grant = session.scalars(select(Grant)).one()
    assert grant.revoked_at == NOON + timedelta(seconds=30)
    assert grant.revoked_for == "code replayed"


@pytest.mark.security("17.1")
def test_a_replay_is_written_down_once(identity_app: Flask):
    app, person_id = an_app(first_party=True), a_person()
    code = a_code(app, now=NOON, person_id=person_id)
    _redeem(app, code)

    for _ in range(2):
        with pytest.raises(InvalidGrant):
            _redeem(app, code)

    with db.reading() as session:
        rows = session.scalars(
            select(LedgerEntry).where(LedgerEntry.chain == f"person:{person_id}")
        ).all()
    assert [(row.event, row.actor, row.result) for row in rows] == [
        ("grant:code:replayed", f"client:{app.id}", "failure")
    ]


@pytest.mark.product("OP-1")
def test_the_access_token_of_a_replayed_code_opens_nothing(identity_client: FlaskClient):
    app = an_app(first_party=True)
    code = a_code(app, now=clock.now())
    first = trade_code(identity_client, app, code).get_json()
    bearer = {"Authorization": f"Bearer {first['access_token']}"}
    assert identity_client.get("/userinfo", headers=bearer).status_code == 200

    again = trade_code(identity_client, app, code)

    assert again.status_code == 400
    assert again.get_json()["error"] == "invalid_grant"
    assert identity_client.get("/userinfo", headers=bearer).status_code == 401


def test_a_wrong_verifier_does_not_spend_the_code(identity_app: Flask):
    app = an_app(first_party=True)
    code = a_code(app, now=NOON)

    with pytest.raises(InvalidGrant):
        _redeem(app, code, code_verifier="w" * 43)

    assert _redeem(app, code)["access_token"]


@pytest.mark.security("7.3")
def test_a_code_ends_with_the_consent(identity_app: Flask):
    app, person_id = an_app(), a_person()
    allow(app, person_id, scopes=("openid", "email", "offline_access"))
    code = a_code(app, now=NOON, person_id=person_id)
    with db.transaction() as session:
        consents.withdraw(session, person_id=person_id, client_id=app.id, now=NOON)

    with pytest.raises(InvalidGrant) as refused:
        _redeem(app, code)

    assert refused.value.detail == "consent was withdrawn"


@pytest.mark.product("OP-1")
@pytest.mark.security("7.2")
def test_a_token_has_the_one_audience_that_was_granted(identity_app: Flask):
    app = an_app(first_party=True, audiences=(API, "https://other.example"))
    granted: dict[str, Any] = {"resources": (API,)}

    token = _redeem(app, a_code(app, now=NOON, **granted))["access_token"]
    userinfo = _redeem(app, a_code(app, now=NOON, **granted), resources=[ISSUER])["access_token"]

    assert claims_of(token)["aud"] == API
    assert claims_of(userinfo)["aud"] == ISSUER
    code = a_code(app, now=NOON, **granted)
    for wrong in (["https://other.example"], ["https://evil.example"], [API, ISSUER]):
        with pytest.raises(InvalidTarget):
            _redeem(app, code, resources=wrong)
    assert _redeem(app, code)["access_token"]


def test_several_granted_resources_must_be_named_one_at_a_time(identity_app: Flask):
    app = an_app(first_party=True, audiences=(API, "https://other.example"))
    code = a_code(app, now=NOON, resources=(API, "https://other.example"))

    with pytest.raises(InvalidTarget):
        _redeem(app, code)

    assert claims_of(_redeem(app, code, resources=[API])["access_token"])["aud"] == API


@pytest.mark.security("6.5", "15.2", "20.5")
def test_of_fifty_redemptions_at_once_one_wins_and_the_replay_ends_its_tokens(identity_app: Flask):
    app = an_app(first_party=True)
    code = a_code(app, now=NOON)
    client = app.registered()

    def redeem(_number: int) -> bool:
        with identity_app.app_context():
            try:
                _redeem(app, code, client=client)
            except InvalidGrant:
                return False
            return True

    with ThreadPoolExecutor(50) as pool:
        won = list(pool.map(redeem, range(50)))

    assert won.count(True) == 1
    with db.reading() as session:
        grant = session.scalars(select(Grant)).one()
        links = session.scalars(select(RefreshToken)).all()
    assert len(links) == 1
    assert grant.revoked_at is not None


def test_a_disabled_application_redeems_nothing(identity_client: FlaskClient):
    app = an_app(first_party=True)
    code = a_code(app, now=clock.now())
    with db.transaction() as session:
        clients.disable(session, app.id, now=NOON)

    assert trade_code(identity_client, app, code).status_code == 401


@pytest.mark.security("6.5")
def test_a_code_is_kept_as_a_digest(identity_app: Flask):
    code = a_code(an_app(), now=NOON)

    with db.reading() as session:
        row = session.scalars(select(Grant)).one()
    assert code.encode() not in row.code_hash
    assert len(code) >= 43
