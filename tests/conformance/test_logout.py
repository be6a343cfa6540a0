"""OIDC.md 9 and 10: signing out at an application's request, and telling the others."""

import base64
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.conformance.application import (
    Application,
    answer_of,
    bearer,
    claims_of,
    header_of,
    http,
)
from tests.conformance.provider import AFTER_LOGOUT, Guest, Provider
from tests.visitor import Page

EVENT = "http://schemas.openid.net/event/backchannel-logout"
STATE = "0123456789-._~ &+abcdefghijklmnopqrstuvwxyz!?[]{}"[:50]


def end_session(application: Application, **query: str | None) -> str:
    given = {name: value for name, value in query.items() if value is not None}
    return f"{application.issuer}/end-session?{urlencode(given)}"


def entered(guest: Guest, application: Application) -> dict[str, Any]:
    """Sign in to an application; its tokens."""
    return application.tokens(guest.goes_to(application.url(scope="openid offline_access")))


def confirm(guest: Guest, page: Page) -> Page:
    """Say yes where the provider asks."""
    form = next(form for form in page.forms if form.action.startswith("/end-session"))
    return guest.submit(page, form, answer="sign-out")


def is_signed_in(guest: Guest, application: Application) -> bool:
    answer = answer_of(guest.open(application.url(prompt="none")))
    assert answer.get("error", "login_required") == "login_required"
    return "code" in answer


# -- 9: RP-initiated logout


@pytest.mark.product("ID-8")
@pytest.mark.security("9.1")
@pytest.mark.parametrize("state", [STATE, None])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_good_request_ends_the_session_and_leads_back(
    application: Application, newcomer: Guest, state: str | None, method: str
):
    """OIDC.md 9: good request, no-state; GET and POST; the exact URI and state, nothing else."""
    hint = entered(newcomer, application)["id_token"]
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER_LOGOUT}
    asked |= {"state": state} if state else {}
    asked |= {"client_id": application.id, "logout_hint": "x", "ui_locales": "se"}
    if method == "get":
        page = newcomer.open(end_session(application, **asked))
    else:
        address = f"{application.issuer}/end-session"
        reply = newcomer.http.post(
            address,
            data=asked,
            headers={"Origin": "https://app.example"},
            allow_redirects=False,
            timeout=60,
        )
        page = newcomer.open(application.issuer + reply.headers["Location"])

    address, _, query = page.url.partition("?")
    assert address == AFTER_LOGOUT
    assert parse_qs(query) == ({"state": [state]} if state else {})
    assert not is_signed_in(newcomer, application)


@pytest.mark.security("9.1")
@pytest.mark.parametrize(
    "uri", ["https://evil.example/", f"{AFTER_LOGOUT}?added=1", f"{AFTER_LOGOUT}/"]
)
def test_an_address_that_is_not_registered_leads_nowhere(
    application: Application, guest: Guest, uri: str
):
    """OIDC.md 0: 10, OIDC.md 9: bad-post-logout-redirect-uri, query-added."""
    hint = application.tokens(guest.open(application.url()))["id_token"]

    page = guest.open(end_session(application, id_token_hint=hint, post_logout_redirect_uri=uri))

    assert (page.status, page.url.startswith(application.issuer)) == (400, True)
    assert "post_logout_redirect_uri" in page.text


@pytest.mark.security("9.1")
@pytest.mark.parametrize("named", [True, False])
def test_without_a_hint_nobody_is_sent_anywhere(
    application: Application, newcomer: Guest, named: bool
):
    """OIDC.md 9: no-id-token-hint; also when `client_id` says whose address it is."""
    newcomer.goes_to(application.url())
    client_id = application.id if named else None

    page = newcomer.open(
        end_session(application, post_logout_redirect_uri=AFTER_LOGOUT, client_id=client_id)
    )
    after = confirm(newcomer, page)

    assert page.status == 200
    assert after.url == f"{application.issuer}/signed-out"
    assert not is_signed_in(newcomer, application)


@pytest.mark.security("9.1", "8.1")
@pytest.mark.parametrize("forgery", ["none", "empty", "own key", "own key with our kid", "cut"])
def test_a_forged_hint_leads_nowhere(application: Application, guest: Guest, forgery: str):
    """OIDC.md 9: modified-id-token-hint, bad-id-token-hint."""
    hint = application.tokens(guest.open(application.url()))["id_token"]
    header, claims = header_of(hint), claims_of(hint)
    match forgery:
        case "none":
            unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode()
            hint = f"{unsigned.rstrip('=')}.{hint.split('.')[1]}."
        case "empty":
            hint = f"{hint.rpartition('.')[0]}."
        case "own key":
            exchanged = claims | {"iss": application.id, "aud": application.issuer}
            hint = jwt.encode({"alg": "ES256"}, exchanged, ECKey.generate_key("P-256"))
        case "own key with our kid":
            hint = jwt.encode(header, claims, RSAKey.generate_key(2048))
        case _:
            hint = hint[:-2]

    page = guest.open(
        end_session(application, id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT)
    )

    assert (page.status, page.url.startswith(application.issuer)) == (400, True)
    assert "id_token_hint" in page.text
    assert is_signed_in(guest, application)


@pytest.mark.parametrize("query", [{}, {"state": STATE}])
def test_without_parameters_the_person_is_asked(
    application: Application, newcomer: Guest, query: dict[str, str]
):
    """OIDC.md 9: no-params, only-state."""
    newcomer.goes_to(application.url())

    page = confirm(newcomer, newcomer.open(end_session(application, **query)))

    assert page.url == f"{application.issuer}/signed-out"
    assert "signed out" in page.text.lower()
    assert not is_signed_in(newcomer, application)


def test_a_hint_without_an_address_ends_on_a_page_of_ours(
    application: Application, newcomer: Guest
):
    """OIDC.md 9: no-post-logout-redirect-uri."""
    hint = entered(newcomer, application)["id_token"]

    page = newcomer.open(end_session(application, id_token_hint=hint))

    assert page.url == f"{application.issuer}/signed-out"
    assert "signed out" in page.text.lower()
    assert not is_signed_in(newcomer, application)


@pytest.mark.security("9.1")
def test_the_hint_of_another_session_asks_first(
    provider: Provider, application: Application, newcomer: Guest
):
    """SECURITY.md 9.1: only a hint of the current session is proof enough."""
    elsewhere = Guest(provider, newcomer.person)
    hint = entered(elsewhere, application)["id_token"]
    newcomer.goes_to(application.url())

    page = newcomer.open(
        end_session(application, id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT)
    )

    assert page.status == 200
    assert is_signed_in(newcomer, application)
    assert confirm(newcomer, page).url == AFTER_LOGOUT


def test_a_client_id_that_is_not_the_hints_leads_nowhere(
    application: Application, legacy: Application, guest: Guest
):
    """OIDC.md 9: optionally client_id."""
    hint = application.tokens(guest.open(application.url()))["id_token"]

    page = guest.open(end_session(application, id_token_hint=hint, client_id=legacy.id))

    assert page.status == 400
    assert "client_id" in page.text


@pytest.mark.security("5.5")
def test_tokens_end_with_the_session(application: Application, newcomer: Guest):
    """SECURITY.md 5.5."""
    tokens = entered(newcomer, application)

    newcomer.open(end_session(application, id_token_hint=tokens["id_token"]))

    renewed = application.trade("refresh_token", refresh_token=tokens["refresh_token"])
    userinfo = http.get(f"{application.issuer}/userinfo", headers=bearer(tokens), timeout=60)
    assert (renewed.status_code, renewed.json()["error"]) == (400, "invalid_grant")
    assert userinfo.status_code == 401


# -- 10: back-channel logout


class Receiver:
    """Where an application takes logout tokens: a real address, and all that was posted there."""

    def __init__(self, port: int) -> None:
        posts: list[tuple[str, dict[str, str], dict[str, list[str]]]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                posts.append((self.path, dict(self.headers), parse_qs(body)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nobody reads along."""

        self.posts = posts
        self.server = HTTPServer(("127.0.0.1", port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.posts) < count:
            assert time.monotonic() < deadline, self.posts
            time.sleep(0.02)

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receiver(provider: Provider) -> Iterator[Receiver]:
    found = Receiver(provider.receiver_port)
    yield found
    found.stop()


@pytest.mark.product("ID-8", "OP-1")
@pytest.mark.security("9.2")
@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_logout_token_says_what_it_must_and_nothing_else(
    provider: Provider, newcomer: Guest, receiver: Receiver, algorithm: str
):
    """OIDC.md 10: POST, form-encoded, only logout_token; iss, aud, iat, jti, events, sub, sid."""
    application = provider.application(
        backchannel_logout_uri=f"http://127.0.0.1:{provider.receiver_port}/logout?keep=1",
        id_token_signed_response_alg=algorithm,
    )
    tokens = entered(newcomer, application)
    id_token = application.id_token(tokens)

    newcomer.open(end_session(application, id_token_hint=tokens["id_token"]))
    receiver.wait_for(1)

    [(path, headers, form)] = receiver.posts
    [token] = form["logout_token"]
    claims = application.verified(token, typ="logout+jwt")
    assert path == "/logout?keep=1"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert set(form) == {"logout_token"}
    assert header_of(token)["alg"] == algorithm
    assert set(claims) == {"iss", "aud", "sub", "sid", "iat", "exp", "jti", "events"}
    assert claims["events"] == {EVENT: {}}
    assert (claims["sub"], claims["sid"]) == (id_token["sub"], id_token["sid"])
    assert abs(claims["iat"] - time.time()) < 30
    assert claims["exp"] - claims["iat"] <= 120


@pytest.mark.product("ID-8")
def test_every_application_of_the_session_is_told_by_its_own_sid(
    provider: Provider, newcomer: Guest, receiver: Receiver
):
    """OIDC.md 10: sid as in each id_token; whoever was not entered is not told."""
    uris = [f"http://127.0.0.1:{provider.receiver_port}/{name}" for name in ("a", "b", "c")]
    first, second, _third = [provider.application(backchannel_logout_uri=uri) for uri in uris]
    tokens = [entered(newcomer, each) for each in (first, second)]

    newcomer.open(end_session(first, id_token_hint=tokens[0]["id_token"]))
    receiver.wait_for(2)
    time.sleep(0.2)

    told = {path: claims_of(form["logout_token"][0]) for path, _, form in receiver.posts}
    assert set(told) == {"/a", "/b"}
    assert [told[path]["aud"] for path in ("/a", "/b")] == [first.id, second.id]
    assert [told[path]["sid"] for path in ("/a", "/b")] == [
        claims_of(each["id_token"])["sid"] for each in tokens
    ]
    assert told["/a"]["sid"] != told["/b"]["sid"]
