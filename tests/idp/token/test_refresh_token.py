"""A refresh token is spent by its use; what happens when it is seen again depends on the client."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from consent.oauth import service as consents
from idp import logout
from idp.clients import service as clients
from idp.grants.models import Grant, RefreshToken
from idp.keys import service as keys
from idp.protocol.errors import InvalidGrant, InvalidScope, InvalidTarget
from idp.token import authorization_code, refresh_token
from idp.token.refresh_token import Link, why_refuse
from kernel.crypto import hash_token
from kernel.ids import new_id
from tenants.database import db
from tenants.people.models import Person
from tests.conftest import NOON
from tests.idp.provider import (
    API,
    CALLBACK,
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
    trade,
)
from tests.idp.token.test_authorization_code import a_grant

PUBLIC = {"token_endpoint_auth_method": clients.NONE, "first_party": True}
DAY = timedelta(days=1)


def _tokens(app: App, now=NOON, **changes) -> dict[str, Any]:
    code = a_code(app, now=now, **changes)
    return authorization_code.redeem(
        code, client=app.registered(), redirect_uri=CALLBACK, code_verifier=VERIFIER, now=now
    )


def _refresh(app: App, token: str, now=NOON, **changes) -> dict[str, Any]:
    return _refreshed(token, client=app.registered(), now=now, **changes)


def _refreshed(token: str, **request) -> dict[str, Any]:
    with db.glancing() as glance:
        return refresh_token.refresh(glance, token, **request)


GOOD_LINK = Link(
    new_id(), a_grant(), NOON + DAY, NOON + 90 * DAY, spent_at=None, spent_on=None,
    answer_sealed=None,
)  # fmt: skip


@pytest.mark.security("7.3", "7.4")
@pytest.mark.parametrize(
    ("link", "client_id", "now", "reason"),
    [
        (None, "client-a", NOON, "no such refresh token"),
        (GOOD_LINK, "client-b", NOON, "refresh token belongs to another client"),
        (GOOD_LINK, "client-a", NOON + 90 * DAY, "refresh token's chain ended"),
        (GOOD_LINK, "client-a", NOON + DAY, "refresh token was unused for too long"),
        (replace(GOOD_LINK, grant=a_grant(revoked_at=NOON)), "client-a", NOON, "the grant was"),
        (replace(GOOD_LINK, grant=a_grant(person_is_active=False)), "client-a", NOON, "the person"),
        (replace(GOOD_LINK, grant=a_grant(session_ended_at=NOON)), "client-a", NOON, "the session"),
        (replace(GOOD_LINK, grant=a_grant(session_expires_at=NOON)), "client-a", NOON, "the sess"),
    ],
)
def test_a_refresh_token_is_refused_when(link, client_id, now, reason):
    assert str(why_refuse(link, client_id, now)).startswith(reason)


def test_offline_access_outlives_a_session_that_ran_out_but_not_one_that_was_ended():
    grant = a_grant(scopes=("openid", "offline_access"), session_expires_at=NOON)

    assert why_refuse(replace(GOOD_LINK, grant=grant), "client-a", NOON) is None
    ended = replace(GOOD_LINK, grant=replace(grant, session_ended_at=NOON))
    assert why_refuse(ended, "client-a", NOON) == "the session was ended"


@pytest.mark.product("OP-1")
@pytest.mark.security("7.4")
def test_a_refresh_gives_new_tokens_and_the_next_refresh_token(identity_app: Flask):
    app = an_app(first_party=True)
    first = _tokens(app)

    second = _refresh(app, first["refresh_token"], now=NOON + timedelta(minutes=5))

    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    assert second["scope"] == first["scope"]


@pytest.mark.product("OP-1")
def test_a_renewed_id_token_tells_when_the_person_really_signed_in(identity_app: Flask):
    """Authlib's would say that it was just now."""
    app = an_app(first_party=True)
    first = _tokens(app)

    second = _refresh(app, first["refresh_token"], now=NOON + timedelta(hours=5))

    before, after = claims_of(first["id_token"]), claims_of(second["id_token"])
    assert after["iat"] == before["iat"] + 5 * 3_600
    assert "nonce" not in after
    for name in ("iss", "sub", "aud", "auth_time", "acr", "amr", "sid"):
        assert after[name] == before[name]


@pytest.mark.product("OP-1")
@pytest.mark.security("7.4")
def test_a_public_clients_token_seen_twice_ends_the_family(identity_app: Flask):
    app = an_app(**PUBLIC)
    first = _tokens(app)
    second = _refresh(app, first["refresh_token"])

    with pytest.raises(InvalidGrant):
        _refresh(app, first["refresh_token"])
    with pytest.raises(InvalidGrant):
        _refresh(app, second["refresh_token"])


@pytest.mark.security("7.4")
def test_a_confidential_client_may_repeat_its_request_for_ten_seconds(identity_app: Flask):
    app = an_app(first_party=True)
    first = _tokens(app)
    second = _refresh(app, first["refresh_token"])

    again = _refresh(app, first["refresh_token"], now=NOON + timedelta(seconds=10))

    assert again == second
    with pytest.raises(InvalidGrant):
        _refresh(app, first["refresh_token"], now=NOON + timedelta(seconds=11))
    with pytest.raises(InvalidGrant):
        _refresh(app, second["refresh_token"], now=NOON + timedelta(seconds=11))


@pytest.mark.security("7.4")
@pytest.mark.parametrize("changes", [{"scope": "openid"}, {"resources": [API]}])
def test_another_request_is_no_repetition(identity_app: Flask, changes):
    app = an_app(first_party=True)
    first = _tokens(app)
    _refresh(app, first["refresh_token"])

    with pytest.raises(InvalidGrant):
        _refresh(app, first["refresh_token"], **changes)


@pytest.mark.security("7.4")
def test_the_kept_answer_is_readable_with_the_spent_token_alone(identity_app: Flask):
    app = an_app(first_party=True)
    first = _tokens(app)
    second = _refresh(app, first["refresh_token"])

    with db.reading() as session:
        spent = session.scalars(
            select(RefreshToken).where(
                RefreshToken.token_hash == hash_token(first["refresh_token"])
            )
        ).one()
    assert second["refresh_token"].encode() not in (spent.answer_sealed or b"")
    assert refresh_token._unseal(first["refresh_token"], spent.answer_sealed or b"") == second
    with pytest.raises(Exception, match=r"not sealed|no key"):
        refresh_token._unseal("another token", spent.answer_sealed or b"")


@pytest.mark.product("OP-1")
@pytest.mark.security("7.4")
def test_a_token_is_bound_to_its_client(identity_client: FlaskClient):
    app, other = an_app(), an_app()
    first = tokens_for(identity_client, app)

    refused = trade(identity_client, other, "refresh_token", refresh_token=first["refresh_token"])
    taken = trade(identity_client, app, "refresh_token", refresh_token=first["refresh_token"])

    assert (refused.status_code, refused.get_json()["error"]) == (400, "invalid_grant")
    assert taken.status_code == 200


@pytest.mark.product("OP-1")
def test_scope_may_become_narrower_for_one_token_and_never_wider(identity_app: Flask):
    app = an_app(first_party=True)
    first = _tokens(app)

    second = _refresh(app, first["refresh_token"], scope="openid")
    third = _refresh(app, second["refresh_token"])

    assert second["scope"] == "openid"
    assert third["scope"] == first["scope"]
    for wider in ("openid profile", "reports:read", " "):
        with pytest.raises(InvalidScope):
            _refresh(app, third["refresh_token"], scope=wider)
    assert _refresh(app, third["refresh_token"], scope="openid")


@pytest.mark.product("OP-1")
def test_a_refresh_can_ask_for_another_audience(identity_app: Flask):
    app = an_app(first_party=True)
    first = _tokens(app)

    second = _refresh(app, first["refresh_token"], resources=[API])

    assert claims_of(first["access_token"])["aud"] == ISSUER
    assert claims_of(second["access_token"])["aud"] == API
    with pytest.raises(InvalidTarget):
        _refresh(app, second["refresh_token"], resources=["https://evil.example"])


@pytest.mark.security("7.4")
def test_an_unused_token_ends_and_so_does_a_chain(identity_app: Flask):
    app = an_app(first_party=True, refresh_without_offline_access=True)
    token = _tokens(app)["refresh_token"]

    with pytest.raises(InvalidGrant):
        _refresh(app, token, now=NOON + 14 * DAY)
    now = NOON
    for _ in range(6):
        now += 13 * DAY
        token = _refresh(app, token, now=now)["refresh_token"]
    with pytest.raises(InvalidGrant):
        _refresh(app, token, now=NOON + 90 * DAY)


@pytest.mark.security("7.3", "5.5")
def test_a_refresh_looks_at_what_is_true_now(identity_app: Flask):
    def blocked(person_id, _app):
        with db.transaction() as session:
            session.execute(update(Person).where(Person.id == person_id).values(status="blocked"))

    def signed_out(person_id, _app):
        with db.transaction() as session:
            logout.end_sessions(session, person_id=person_id, reason="test", now=NOON)

    def consent_withdrawn(person_id, app):
        with db.transaction() as session:
            consents.withdraw(session, person_id=person_id, client_id=app.id, now=NOON)

    for change in (blocked, signed_out, consent_withdrawn):
        app, person_id = an_app(), a_person()
        allow(app, person_id, scopes=("openid", "email", "offline_access"))
        first = _tokens(app, person_id=person_id)
        change(person_id, app)

        with pytest.raises(InvalidGrant):
            _refresh(app, first["refresh_token"])


@pytest.mark.security("7.4", "15.2", "20.5")
def test_of_fifty_refreshes_of_a_public_client_one_wins_and_the_family_ends(identity_app: Flask):
    app = an_app(**PUBLIC)
    token, client = _tokens(app)["refresh_token"], app.registered()

    won = _in_parallel(identity_app, lambda: _refreshed(token, client=client, now=NOON))

    assert len(won) == 1
    with db.reading() as session:
        assert session.scalars(select(Grant)).one().revoked_for == "refresh token replayed"
        assert len(session.scalars(select(RefreshToken)).all()) == 2


@pytest.mark.security("7.4", "15.2", "20.5")
def test_fifty_refreshes_of_a_confidential_client_get_one_answer(identity_app: Flask):
    app = an_app(first_party=True)
    token, client = _tokens(app)["refresh_token"], app.registered()

    won = _in_parallel(identity_app, lambda: _refreshed(token, client=client, now=NOON))

    assert len(won) == 50
    assert len({answer["refresh_token"] for answer in won}) == 1
    assert len({answer["access_token"] for answer in won}) == 1
    with db.reading() as session:
        assert len(session.scalars(select(RefreshToken)).all()) == 2


def _in_parallel(app: Flask, act) -> list[dict[str, Any]]:
    def once(_number: int) -> dict[str, Any] | None:
        with app.app_context():
            try:
                answer: dict[str, Any] = act()
            except InvalidGrant:
                return None
            return answer

    with ThreadPoolExecutor(50) as pool:
        return [answer for answer in pool.map(once, range(50)) if answer is not None]


@pytest.mark.product("OP-2")
def test_a_refresh_goes_on_over_a_rotation(identity_app: Flask):
    from_before = an_app(first_party=True)
    first = _tokens(from_before)

    keys.rotate(now=NOON)
    later = NOON + timedelta(hours=1)
    second = _refresh(from_before, first["refresh_token"], now=later)

    assert header_of(second["id_token"])["kid"] != header_of(first["id_token"])["kid"]


@pytest.mark.security("7.2")
def test_a_scope_that_the_application_lost_is_not_renewed(identity_app: Flask):
    app = an_app(first_party=True, scopes=("openid", "email", "offline_access"))
    token = _tokens(app, scopes=("openid", "email", "offline_access"))["refresh_token"]
    with db.transaction() as session:
        clients.update_metadata(session, app.id, now=NOON, scopes=("openid", "offline_access"))

    renewed = _refresh(app, token)

    assert renewed["scope"] == "openid offline_access"
    assert claims_of(renewed["access_token"])["scope"] == "openid offline_access"
