"""OIDC.md 8: userinfo."""

import time
from typing import Any

import pytest
import requests

from tests.conformance.application import Application, bearer, http
from tests.conformance.provider import Guest

SCOPES = "openid profile email phone"


@pytest.fixture(scope="module")
def tokens(application: Application, guest: Guest) -> dict[str, Any]:
    return application.tokens(guest.open(application.url(scope=SCOPES)))


@pytest.mark.product("OP-1")
@pytest.mark.security("20.2")
@pytest.mark.parametrize("way", ["get", "post with header", "post with body"])
def test_a_token_may_come_in_three_ways(
    application: Application, guest: Guest, tokens: dict[str, Any], way: str
):
    """OIDC.md 0: 9, OIDC.md 8: userinfo-get, -post-header, -post-body."""
    address = f"{application.issuer}/userinfo"
    match way:
        case "get":
            reply = http.get(address, headers=bearer(tokens), timeout=60)
        case "post with header":
            reply = http.post(address, headers=bearer(tokens), timeout=60)
        case _:
            form = {"access_token": tokens["access_token"]}
            reply = http.post(address, data=form, timeout=60)

    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.json()["sub"] == application.id_token(tokens)["sub"] == str(guest.person.id)


@pytest.mark.product("OP-1")
def test_each_claim_has_its_type_and_nothing_is_null(
    application: Application, guest: Guest, tokens: dict[str, Any]
):
    """OIDC.md 8: types; what is unknown is left out."""
    told = application.userinfo(tokens).json()

    updated_at = told.pop("updated_at")
    assert told == {
        "sub": str(guest.person.id),
        "name": "Anna Łąka",
        "given_name": "Anna",
        "family_name": "Łąka",
        "locale": "en",
        "zoneinfo": "Europe/Warsaw",
        "email": guest.person.email,
        "email_verified": True,
        "phone_number": "+48601234567",
        "phone_number_verified": False,
    }
    assert type(updated_at) is int
    assert 631_152_000 < updated_at <= time.time()


def test_who_told_nothing_has_no_empty_claims(application: Application, newcomer: Guest):
    """OIDC.md 8: never null, never empty."""
    page = newcomer.goes_to(application.url(scope=SCOPES))
    told = application.userinfo(application.tokens(page)).json()

    assert set(told) == {"sub", "locale", "updated_at", "email", "email_verified"}
    assert not {None, "", "null"} & {value for value in told.values() if isinstance(value, str)}


@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("openid", {"sub"}),
        ("openid email", {"sub", "email", "email_verified"}),
        ("openid phone", {"sub", "phone_number", "phone_number_verified"}),
    ],
)
def test_nothing_is_told_beyond_the_scope(
    application: Application, guest: Guest, scope: str, claims: set[str]
):
    """OIDC.md 8: scope=email must not bring `name`."""
    told = application.userinfo(application.tokens(guest.open(application.url(scope=scope))))

    assert set(told.json()) == claims


@pytest.mark.security("7.8")
@pytest.mark.parametrize(
    "token", ["wrong", "a.b.c", "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.e30.", "ż"]
)
def test_a_wrong_token_is_refused_with_a_challenge(application: Application, token: str):
    """OIDC.md 8: 401 with `WWW-Authenticate: Bearer error="invalid_token"`."""
    reply = http.post(f"{application.issuer}/userinfo", data={"access_token": token}, timeout=60)

    assert_challenged(reply)


def test_an_id_token_is_no_access_token(application: Application, tokens: dict[str, Any]):
    """SECURITY.md 8.4."""
    assert_challenged(application.userinfo({"access_token": tokens["id_token"]}))


def test_a_revoked_token_is_refused_with_a_challenge(application: Application, guest: Guest):
    """OIDC.md 8: revoked token."""
    found = application.tokens(guest.open(application.url()))
    application.post("/revoke", token=found["access_token"])

    assert_challenged(application.userinfo(found))


def test_who_brings_nothing_is_told_no_error(application: Application, tokens: dict[str, Any]):
    """RFC 6750 §3.1; and a token in the query is none (SECURITY.md 7.8)."""
    for query in ("", f"?access_token={tokens['access_token']}"):
        reply = http.get(f"{application.issuer}/userinfo{query}", timeout=60)

        assert reply.status_code == 401
        assert reply.headers["WWW-Authenticate"] == 'Bearer realm="klucznik"'


def test_a_token_in_two_ways_is_refused(application: Application, tokens: dict[str, Any]):
    """RFC 6750 §2."""
    reply = http.post(
        f"{application.issuer}/userinfo",
        data={"access_token": tokens["access_token"]},
        headers=bearer(tokens),
        timeout=60,
    )

    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


def test_a_token_that_is_for_no_sign_in_opens_nothing(application: Application, guest: Guest):
    """OIDC.md 8: without `openid` there is no userinfo."""
    found = application.tokens(
        guest.open(application.url(scope="email", resource=application.issuer))
    )

    reply = application.userinfo(found)

    assert reply.status_code == 403
    assert 'error="insufficient_scope"' in reply.headers["WWW-Authenticate"]


def assert_challenged(reply: requests.Response) -> None:
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"].startswith("Bearer ")
    assert 'error="invalid_token"' in reply.headers["WWW-Authenticate"]
    assert reply.json()["error"] == "invalid_token"
