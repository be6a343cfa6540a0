"""What Authlib 1.9 and joserfc do by themselves and we must not, seen from outside.

Races of codes and refresh tokens, debug logs and the size of headers are tested beside the code.
"""

import base64
from urllib.parse import urlencode

import pytest

from idp.keys import service as keys
from kernel import clock
from tests.conformance.application import Application, bearer, claims_of, header_of, http
from tests.conformance.provider import Guest, Provider


@pytest.mark.security("15.1")
@pytest.mark.parametrize("parameter", ["redirect_uri", "response_type", "client_id", "scope"])
@pytest.mark.parametrize("text", ['"', "ż", "%FF", "%00", "%ED%A0%80", "\\"])
def test_odd_letters_in_a_request_are_no_fault_of_ours(
    application: Application, parameter: str, text: str
):
    """ARCHITECTURE.md: `"` or a non-ASCII letter is an unauthenticated 500."""
    others = urlencode(application.query(**{parameter: None}))
    reply = http.get(
        f"{application.issuer}/authorize?{others}&{parameter}=x{text}",
        allow_redirects=False,
        timeout=60,
    )

    assert reply.status_code in {303, 400}


@pytest.mark.parametrize(
    "header", ["Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(), b"Basic \xff", "Basic", "x"]
)
@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke"])
def test_a_header_that_is_not_utf_8_proves_nothing(
    application: Application, header: str | bytes, path: str
):
    """ARCHITECTURE.md: a non-UTF-8 Basic header is an unauthenticated 500."""
    reply = http.post(
        application.issuer + path,
        data={"grant_type": "authorization_code", "token": "x"},
        headers={"Authorization": header},
        timeout=60,
    )

    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


@pytest.mark.security("7.5")
def test_access_tokens_live_for_minutes(application: Application, guest: Guest):
    """ARCHITECTURE.md: ten days by default."""
    tokens = application.tokens(guest.open(application.url()))
    claims = claims_of(tokens["access_token"])

    assert tokens["expires_in"] == claims["exp"] - claims["iat"] <= 600


@pytest.mark.security("8.2")
def test_of_several_keys_the_one_whose_time_has_come_signs(
    provider: Provider, application: Application, guest: Guest
):
    """ARCHITECTURE.md: a KeySet signs with any of its keys."""
    with provider.app.app_context():
        keys.rotate(now=clock.now())
        signing = {each.id for each in keys.summaries(now=clock.now()) if each.state == "signing"}

    tokens = [application.tokens(guest.open(application.url())) for _ in range(5)]

    id_tokens = {header_of(each["id_token"])["kid"] for each in tokens}
    access_tokens = {header_of(each["access_token"])["kid"] for each in tokens}
    assert len(id_tokens) == len(access_tokens) == 1
    assert id_tokens | access_tokens <= signing


@pytest.mark.security("8.3")
def test_a_good_signature_alone_is_believed_nowhere(
    provider: Provider, application: Application, guest: Guest
):
    """ARCHITECTURE.md: `jwt.decode` checks no claim."""
    tokens = application.tokens(guest.open(application.url()))
    for token in (tokens["id_token"], tokens["access_token"] + "x"):
        told = http.get(
            f"{application.issuer}/userinfo", headers=bearer({"access_token": token}), timeout=10
        )
        looked = application.post("/introspect", token=token).json()

        assert told.status_code == 401
        assert looked == {"active": False}
