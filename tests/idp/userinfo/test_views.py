"""The userinfo endpoint as applications meet it."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from idp import logout
from idp.clients import service as clients
from kernel import clock
from tenants.database import db
from tenants.people.models import Person
from tests.idp.provider import API, a_person, an_app, claims_of, tokens_for, trade


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.product("OP-1")
@pytest.mark.security("7.8")
def test_the_token_comes_in_a_header_or_in_a_form(identity_client: FlaskClient):
    person_id = a_person(email="anna@example.com")
    token = tokens_for(identity_client, an_app(), person_id=person_id)["access_token"]
    told = {"sub": str(person_id), "email": "anna@example.com", "email_verified": True}

    by_get = identity_client.get("/userinfo", headers=_bearer(token))
    by_post = identity_client.post("/userinfo", headers=_bearer(token))
    in_body = identity_client.post("/userinfo", data={"access_token": token})
    in_query = identity_client.get(f"/userinfo?access_token={token}")

    assert by_get.get_json() == by_post.get_json() == in_body.get_json() == told
    assert by_get.headers["Cache-Control"] == "no-store"
    assert in_query.status_code == 401


@pytest.mark.product("OP-1")
def test_scopes_decide_what_is_told(identity_client: FlaskClient):
    app = an_app(first_party=True)
    person_id = a_person(given_name="Anna", family_name="Nowak", phone="+48123456789", locale="pl")

    def told(*scopes: str) -> dict[str, Any]:
        token = tokens_for(identity_client, app, person_id=person_id, scopes=scopes)["access_token"]
        found: dict[str, Any] = identity_client.get("/userinfo", headers=_bearer(token)).get_json()
        return found

    assert set(told("openid")) == {"sub"}
    assert set(told("openid", "phone")) == {"sub", "phone_number", "phone_number_verified"}
    profile = told("openid", "profile")
    assert profile["name"] == "Anna Nowak"
    assert isinstance(profile["updated_at"], int)
    assert "email" not in profile
    assert None not in profile.values()


@pytest.mark.product("OP-1")
@pytest.mark.security("7.8")
@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, None),
        ({"Authorization": "Basic YTpi"}, None),
        ({"Authorization": "Bearer "}, None),
        ({"Authorization": "Bearer nonsense"}, "invalid_token"),
        ({"Authorization": "Bearer \xff.\xfe.\xfd"}, "invalid_token"),
        ({"Authorization": "Bearer a.b.c"}, "invalid_token"),
    ],
)
def test_what_is_no_token_opens_nothing(identity_client: FlaskClient, headers, error):
    response = identity_client.get("/userinfo", headers=headers)

    challenge = response.headers["WWW-Authenticate"]
    assert response.status_code == 401
    assert challenge.startswith("Bearer ")
    assert ("error=" in challenge) == (error is not None)
    assert error is None or f'error="{error}"' in challenge


def test_a_token_may_come_in_one_way_only(identity_client: FlaskClient):
    token = tokens_for(identity_client, an_app())["access_token"]

    response = identity_client.post(
        "/userinfo", data={"access_token": token}, headers=_bearer(token)
    )

    assert response.status_code == 400


@pytest.mark.security("7.8", "8.4")
def test_other_tokens_of_ours_open_nothing(identity_client: FlaskClient):
    app = an_app(first_party=True)
    made = tokens_for(identity_client, app)
    elsewhere = tokens_for(identity_client, app, resources=(API,))["access_token"]
    machine = trade(identity_client, app, "client_credentials").get_json()["access_token"]
    not_openid = tokens_for(identity_client, app, scopes=("reports:read",))["access_token"]

    statuses = [
        identity_client.get("/userinfo", headers=_bearer(token)).status_code
        for token in (made["id_token"], made["refresh_token"], elsewhere, machine, not_openid)
    ]

    assert statuses == [401] * 5


def test_a_machines_token_for_the_issuer_is_for_no_sign_in(identity_client: FlaskClient):
    app = an_app(audiences=())
    token = trade(identity_client, app, "client_credentials").get_json()["access_token"]

    response = identity_client.get("/userinfo", headers=_bearer(token))

    assert (response.status_code, response.get_json()["error"]) == (403, "insufficient_scope")


@pytest.mark.product("OP-1")
@pytest.mark.security("5.5", "7.3")
def test_a_token_opens_nothing_once_its_ground_is_gone(identity_app: Flask):
    def signed_out(person_id, _app):
        with db.transaction() as session:
            logout.end_sessions(session, person_id=person_id, reason="test", now=clock.now())

    def blocked(person_id, _app):
        with db.transaction() as session:
            session.execute(update(Person).where(Person.id == person_id).values(status="blocked"))

    def switched_off(_person_id, app):
        with db.transaction() as session:
            clients.disable(session, app.id, now=clock.now())

    browser = identity_app.test_client()
    for change in (signed_out, blocked, switched_off):
        app, person_id = an_app(first_party=True), a_person()
        token = tokens_for(browser, app, person_id=person_id)["access_token"]
        assert browser.get("/userinfo", headers=_bearer(token)).status_code == 200

        change(person_id, app)

        assert browser.get("/userinfo", headers=_bearer(token)).status_code == 401
        assert claims_of(token)["sub"] == str(person_id)
