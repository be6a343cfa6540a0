"""OIDC.md 6 and 7: the ID token, and the endpoint where tokens come from."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey

from idp.clients import service as clients
from idp.keys import service as keys
from kernel import clock
from tenants.database import db
from tests.conformance.application import (
    ASSERTION_TYPE,
    Application,
    basic,
    claims_of,
    header_of,
    http,
    tokens_of,
)
from tests.conformance.provider import Guest, Provider

API = "https://api.example"
OTHER_API = "https://other-api.example"
OFFLINE = "openid email offline_access"
_PRINTABLE = {chr(code) for code in (*range(0x20, 0x22), *range(0x23, 0x5C), *range(0x5D, 0x7F))}
_OF_THE_PROTOCOL = {
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash"),
    *("c_hash", "s_hash", "nbf", "jti", "sid", "txn"),
}


def assert_refused(reply: requests.Response, error: str, status: int = 400) -> None:
    """The form that all refusals have."""
    assert (reply.status_code, reply.json()["error"]) == (status, error), reply.text
    assert reply.headers["Content-Type"] == "application/json"
    assert "no-store" in reply.headers["Cache-Control"]
    assert set(reply.json()) <= {"error", "error_description", "error_uri"}
    assert all(set(value) <= _PRINTABLE for value in reply.json().values())


def looked_at(application: Application, token: str) -> bool:
    """Whether a token is still good, as introspection and userinfo say alike."""
    active: bool = application.post("/introspect", token=token).json()["active"]
    userinfo = application.userinfo({"access_token": token})
    assert (userinfo.status_code == 200) is active
    return active


@pytest.fixture
def tokens(application: Application, guest: Guest) -> dict[str, Any]:
    """Fresh tokens of Anna's, with a refresh token."""
    return application.tokens(guest.open(application.url(scope=OFFLINE)))


# -- 6: the ID token


@pytest.mark.product("OP-1")
@pytest.mark.security("20.2")
def test_an_id_token_says_who_when_and_for_whom(
    application: Application, guest: Guest, tokens: dict[str, Any]
):
    """OIDC.md 6: iss, aud, exp, iat, auth_time, sub, acr; no claim that was not asked for there."""
    claims = application.id_token(tokens)

    now = time.time()
    assert claims["iss"] == application.issuer
    assert claims["aud"] == application.id
    assert now < claims["exp"] < now + 50 * 365 * 86_400
    assert now - 300 < claims["iat"] <= now
    assert now - 86_400 < claims["auth_time"] <= claims["iat"]
    assert claims["sub"] == str(guest.person.id)
    assert len(claims["sub"]) <= 255
    assert claims["acr"]
    assert claims["amr"]
    assert set(claims) <= _OF_THE_PROTOCOL
    assert None not in claims.values()
    assert all(type(claims[name]) is int for name in ("exp", "iat", "auth_time"))


def test_the_signature_is_rs256_unless_the_application_said_otherwise(
    provider: Provider, tokens: dict[str, Any], guest: Guest
):
    """OIDC.md 6: idtoken-rs256, idtoken-signature; ES256 where it was registered."""
    modern = provider.application(id_token_signed_response_alg="ES256", first_party=True)
    of_modern = modern.tokens(guest.open(modern.url()))

    assert header_of(tokens["id_token"])["alg"] == "RS256"
    assert header_of(tokens["id_token"])["kid"]
    assert modern.id_token(of_modern)
    assert header_of(of_modern["id_token"])["alg"] == "ES256"


def test_the_same_person_is_the_same_sub_everywhere(
    application: Application, keyed: Application, guest: Guest, tokens: dict[str, Any]
):
    """OIDC.md 6: sub."""
    other = keyed.tokens(guest.goes_to(keyed.url()))

    assert keyed.id_token(other)["sub"] == application.id_token(tokens)["sub"]
    assert application.userinfo(tokens).json()["sub"] == str(guest.person.id)


# -- 7: clients prove themselves


@pytest.mark.product("OP-1")
@pytest.mark.parametrize(
    ("method", "profile"),
    [
        *((method, "standard") for method in clients.AUTH_METHODS),
        # Without a secret and without PKCE nothing would tie a code to who asked for it.
        *((method, "legacy") for method in clients.AUTH_METHODS if method != clients.NONE),
    ],
)
def test_each_way_to_prove_oneself(provider: Provider, guest: Guest, method: str, profile: str):
    """OIDC.md 7: basic, post, private_key_jwt; public clients by PKCE."""
    application = provider.application(
        token_endpoint_auth_method=method, profile=profile, first_party=True
    )

    found = application.tokens(guest.open(application.url()))

    assert application.id_token(found)
    assert found["token_type"] == "Bearer"
    assert type(found["expires_in"]) is int
    assert 0 < found["expires_in"] <= 365 * 86_400


def test_names_and_secrets_are_form_decoded(provider: Provider):
    """OIDC.md 7: client_secret_basic with form-urlencoded id and secret."""
    application = provider.application(grant_types=("client_credentials",), redirect_uris=())
    encoded = [
        "".join(f"%{ord(c):02X}" for c in text or "")
        for text in (application.id, application.secret)
    ]

    reply = http.post(
        f"{application.issuer}/token",
        data={"grant_type": "client_credentials"},
        auth=(encoded[0], encoded[1]),
        timeout=60,
    )

    assert tokens_of(reply)


@pytest.mark.security("7.1")
@pytest.mark.parametrize(
    ("profile", "audience", "is_good"),
    [
        ("standard", "{issuer}", True),
        ("standard", "{issuer}/token", False),
        ("standard", "{issuer}/", False),
        ("standard", ["{issuer}"], False),
        ("legacy", "{issuer}", True),
        ("legacy", "{issuer}/token", True),
        ("legacy", "{issuer}/userinfo", False),
    ],
)
def test_whom_an_assertion_may_name(
    provider: Provider, profile: str, audience: str | list[str], is_good: bool
):
    """OIDC.md 7: aud = issuer, or the token endpoint where the client is `legacy`."""
    application = provider.application(
        profile=profile,
        token_endpoint_auth_method=clients.PRIVATE_KEY_JWT,
        grant_types=("client_credentials",),
        redirect_uris=(),
    )
    named = (
        audience.format(issuer=application.issuer)
        if isinstance(audience, str)
        else [one.format(issuer=application.issuer) for one in audience]
    )

    reply = application.trade("client_credentials", **application.assertion(aud=named))

    if is_good:
        assert reply.status_code == 200
    else:
        assert_refused(reply, "invalid_client", 401)


@pytest.mark.security("7.1")
def test_an_assertion_opens_one_request(keyed: Application):
    """OIDC.md 7: jti."""
    proof = keyed.assertion()
    replies = [keyed.post("/introspect", token="x", **proof) for _ in range(2)]

    assert replies[0].status_code == 200
    assert_refused(replies[1], "invalid_client", 401)


@pytest.mark.security("7.1")
@pytest.mark.parametrize(
    "claims",
    [
        *({"iss": "other"}, {"sub": "other"}, {"jti": None}, {"exp": None}, {"aud": None}),
        *({"exp": 1}, {"exp": 4_000_000_000}, {"nbf": 4_000_000_000}, {"iat": 4_000_000_000}),
    ],
)
def test_an_assertion_that_is_not_whole_proves_nothing(keyed: Application, claims: dict[str, Any]):
    """OIDC.md 7: iss = sub = client id, jti, iat, nbf, exp."""
    assert_refused(
        keyed.post("/introspect", token="x", **keyed.assertion(**claims)), "invalid_client", 401
    )


def test_an_assertion_of_another_key_proves_nothing(keyed: Application):
    """OIDC.md 7: private_key_jwt."""
    claims = claims_of(keyed.assertion()["client_assertion"])
    forged = jwt.encode({"alg": "ES256", "kid": "client-key"}, claims, ECKey.generate_key("P-256"))
    proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": forged}

    assert_refused(keyed.post("/introspect", token="x", **proof), "invalid_client", 401)


@pytest.mark.security("7.1")
def test_a_wrong_secret_is_told_how_to_do_better(application: Application):
    """OIDC.md 7: 401 for invalid_client, with a challenge (RFC 6749 §5.2)."""
    for path in ("/token", "/introspect", "/revoke"):
        reply = http.post(
            application.issuer + path,
            data={"grant_type": "authorization_code", "code": "x", "token": "x"},
            headers=basic(application.id, "wrong"),
            timeout=60,
        )

        assert_refused(reply, "invalid_client", 401)
        assert reply.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_two_secrets_are_good_while_one_is_replaced(provider: Provider):
    """SECURITY.md 7.1: rotation of a secret."""
    application = provider.application(grant_types=("client_credentials",), redirect_uris=())
    secrets = [application.secret or ""]
    for _ in range(2):
        with provider.app.app_context(), db.transaction() as session:
            secrets.append(clients.rotate_secret(session, application.id, now=clock.now()))

    statuses = [
        http.post(
            f"{application.issuer}/token",
            data={"grant_type": "client_credentials"},
            headers=basic(application.id, secret),
            timeout=60,
        ).status_code
        for secret in secrets
    ]

    assert statuses == [401, 200, 200]


# -- 7: codes


@pytest.mark.product("OP-1")
@pytest.mark.security("6.5")
def test_a_code_that_comes_again_ends_what_it_bought(application: Application, guest: Guest):
    """OIDC.md 0: 8, OIDC.md 7: code reuse; the access token stops at userinfo and introspection."""
    page = guest.open(application.url(scope=OFFLINE))
    bought = application.tokens(page)
    before = looked_at(application, bought["access_token"])

    assert_refused(application.redeem(page), "invalid_grant")

    assert before
    assert not looked_at(application, bought["access_token"])
    assert_refused(
        application.trade("refresh_token", refresh_token=bought["refresh_token"]), "invalid_grant"
    )


@pytest.mark.security("6.5")
@pytest.mark.parametrize(
    "changes",
    [
        {"code": "made-up"},
        {"code": None},
        {"redirect_uri": "https://app.example/other"},
        {"redirect_uri": None},
        {"code_verifier": None},
        {"code_verifier": "another-verifier-that-has-more-than-enough-characters"},
    ],
)
def test_a_code_is_good_for_its_own_request_only(
    application: Application, guest: Guest, changes: dict[str, str | None]
):
    """OIDC.md 7: 400, JSON, invalid_grant."""
    reply = application.redeem(guest.open(application.url()), **changes)

    assert reply.json()["error"] in {"invalid_grant", "invalid_request"}
    assert_refused(reply, reply.json()["error"])


def test_a_code_is_good_for_its_own_client_only(
    application: Application, legacy: Application, guest: Guest
):
    """OIDC.md 7."""
    page = guest.open(application.url())

    assert_refused(legacy.redeem(page), "invalid_grant")
    assert application.tokens(page)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
        ({"grant_type": "żółw"}, "unsupported_grant_type"),
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
        ({"grant_type": ["refresh_token", "refresh_token"]}, "invalid_request"),
        ({"grant_type": "authorization_code", "client_secret": "x"}, "invalid_request"),
    ],
)
def test_what_the_endpoint_does_not_do(application: Application, form: dict[str, Any], error: str):
    """OIDC.md 7: errors are 400, JSON, in printable ASCII."""
    assert_refused(application.post("/token", **form), error)


# -- 7: refresh tokens


@pytest.mark.product("OP-1")
@pytest.mark.security("7.4")
@pytest.mark.parametrize("scope", [None, OFFLINE])
def test_a_refresh_says_the_same_of_the_person(
    application: Application, tokens: dict[str, Any], scope: str | None
):
    """OIDC.md 7: refresh-token; with the same scope and without one."""
    first = application.id_token(tokens)
    time.sleep(1.1)

    reply = application.trade("refresh_token", refresh_token=tokens["refresh_token"], scope=scope)

    renewed = tokens_of(reply)
    second = application.id_token(renewed, nonce=None)
    assert "no-store" in reply.headers["Cache-Control"]
    assert renewed["token_type"] == "Bearer"
    assert renewed["access_token"] != tokens["access_token"]
    assert renewed["refresh_token"] != tokens["refresh_token"]
    for name in ("iss", "sub", "aud", "auth_time", "acr", "amr", "sid"):
        assert second[name] == first[name], name
    assert second["iat"] > first["iat"]
    assert "azp" not in second
    assert tokens_of(application.trade("refresh_token", refresh_token=renewed["refresh_token"]))


@pytest.mark.security("7.4")
def test_a_refresh_token_is_bound_to_its_client(
    legacy: Application, application: Application, tokens: dict[str, Any]
):
    """OIDC.md 7: another authenticated client → 400, invalid_grant."""
    stolen = legacy.trade("refresh_token", refresh_token=tokens["refresh_token"])

    assert_refused(stolen, "invalid_grant")
    assert tokens_of(application.trade("refresh_token", refresh_token=tokens["refresh_token"]))


def test_a_narrower_scope_is_for_one_token(application: Application, tokens: dict[str, Any]):
    """OIDC.md 7: refresh with `scope`; RFC 6749 §6."""
    narrow = tokens_of(
        application.trade(
            "refresh_token", refresh_token=tokens["refresh_token"], scope="openid offline_access"
        )
    )
    wide = tokens_of(application.trade("refresh_token", refresh_token=narrow["refresh_token"]))

    assert "email" not in application.userinfo(narrow).json()
    assert "email" in application.userinfo(wide).json()
    more = application.trade(
        "refresh_token", refresh_token=wide["refresh_token"], scope="openid profile"
    )
    assert_refused(more, "invalid_scope")


@pytest.mark.security("7.2")
def test_a_token_has_one_audience_which_a_refresh_may_change(provider: Provider, guest: Guest):
    """RFC 8707: `resource` at authorize, token and refresh."""
    application = provider.application(audiences=(API, OTHER_API), first_party=True)
    asked = application.url(resource=[API, OTHER_API], scope=OFFLINE)

    first = application.tokens(guest.open(asked), resource=API)
    renew: Callable[[str, str], requests.Response] = lambda token, resource: application.trade(  # noqa: E731
        "refresh_token", refresh_token=token, resource=resource
    )
    second = tokens_of(renew(first["refresh_token"], OTHER_API))

    assert claims_of(first["access_token"])["aud"] == API
    assert claims_of(second["access_token"])["aud"] == OTHER_API
    assert application.userinfo(second).status_code == 401
    assert_refused(renew(second["refresh_token"], "https://evil.example"), "invalid_target")


@pytest.mark.security("8.5")
def test_tokens_outlive_a_rotation_of_the_keys(
    provider: Provider, application: Application, tokens: dict[str, Any]
):
    """OIDC.md 2: what the old key signed is still believed, and its key still published."""
    with provider.app.app_context():
        # So long ago that every client can have seen the new keys: they sign now.
        keys.rotate(now=clock.now() - timedelta(seconds=960))

    renewed = tokens_of(application.trade("refresh_token", refresh_token=tokens["refresh_token"]))

    assert application.id_token(tokens)
    assert application.id_token(renewed, nonce=None)
    assert header_of(renewed["id_token"])["kid"] != header_of(tokens["id_token"])["kid"]
    assert application.userinfo(tokens).status_code == 200


# -- 7.7 of SECURITY.md: introspection and revocation


@pytest.mark.security("7.7")
def test_revoked_means_useless_everywhere(application: Application, guest: Guest):
    """OIDC.md 8: revoked token; RFC 7009."""
    page = guest.open(application.url(scope=OFFLINE))
    found = application.tokens(page)

    assert application.post("/revoke", token=found["refresh_token"]).status_code == 200

    assert not looked_at(application, found["access_token"])
    assert application.post("/revoke", token="unknown").status_code == 200
