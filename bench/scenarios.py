"""What is measured, once for both sides: they differ in addresses and in their sign-in pages."""

import base64
import hashlib
import html
import json
import re
import secrets
import time
from collections.abc import Generator
from dataclasses import dataclass
from urllib.parse import parse_qs, quote_plus, urlencode, urljoin, urlsplit

import pyotp
from joserfc import jwt
from joserfc.jwk import ECKey

from bench.driver import (
    Browser,
    Done,
    Reply,
    Scenario,
    Steps,
    Unexpected,
    expect,
    repeat,
    request,
)

REDIRECT_URI = "http://127.0.0.1:9/callback"
VERIFIER = "a verifier of the benchmarks".replace(" ", "-") + "0123456789-0123456789"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_CALLBACK = re.compile(r'(?:url=|href=")(http://127\.0\.0\.1:9/callback\?[^"]+)', re.IGNORECASE)

SignIn = Generator[bytes, Reply, str]
"""A walk through the pages that ends with the address to which the browser is sent."""


@dataclass(frozen=True)
class Machine:
    """A program that gets tokens for itself."""

    client_id: str
    secret: str
    resource: str

    @property
    def authorization(self) -> str:
        return basic(self.client_id, self.secret)


@dataclass(frozen=True)
class Visitor:
    """Somebody who signs in, and the cookies of a browser that knows them."""

    email: str
    password: str
    cookies: dict[str, str]
    totp_secret: str | None = None

    def answers(self) -> dict[str, str]:
        """What this person types into fields of these names."""
        typed = {"email": self.email, "password": self.password}
        if self.totp_secret is not None:
            typed |= {"code": pyotp.TOTP(self.totp_secret).now(), "remember": "y"}
        return typed


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: where things are, and how one signs in."""

    issuer: str
    paths: dict[str, str]
    web: Machine
    es256: Machine
    rs256: Machine
    signed_client: str
    signing_key: ECKey
    visitors: list[Visitor]

    def url(self, name: str) -> str:
        return f"{self.issuer}{self.paths[name]}"

    def authorize_url(self) -> str:
        """A fresh authorization request."""
        query = {
            "client_id": self.web.client_id,
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": "openid email",
            "state": secrets.token_urlsafe(16),
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return f"{self.url('authorize')}?{urlencode(query)}"

    def pages(self, browser: Browser, visitor: Visitor) -> SignIn:
        """Walk through the sign-in pages: follow redirects, fill in the form that comes."""
        url = self.authorize_url()
        reply = browser.read((yield browser.get(url)), 200, 302, 303)
        for _ in range(12):
            found = sent_to(reply)
            if found:
                return found
            if reply.status != 200:
                url = urljoin(url, reply.location)
                reply = browser.read((yield browser.get(url)), 200, 302, 303)
                continue
            action, form = filled_in(reply.body.decode(), visitor)
            url = urljoin(url, action)
            reply = browser.read((yield browser.post(url, form)), 200, 302, 303)
        raise Unexpected(f"the sign-in pages lead nowhere: {reply.body[:500]!r}")


def basic(client_id: str, secret: str) -> str:
    """The header of `client_secret_basic`: both parts form-encoded first (RFC 6749 §2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
    return f"Authorization: Basic {base64.b64encode(pair).decode()}\r\n"


def sent_to(reply: Reply) -> str | None:
    """Where the browser is sent, when that is the application: by redirect or forwarding page."""
    if reply.status in (302, 303):
        return reply.location if reply.location.startswith(REDIRECT_URI) else None
    found = _CALLBACK.search(reply.body.decode(errors="replace"))
    return html.unescape(found[1]) if found else None


def filled_in(page: str, visitor: Visitor) -> tuple[str, dict[str, str]]:
    """The first form with a field that we know: its address, and what a person would send."""
    known = visitor.answers()
    for form in re.finditer(r"<form\b(?P<head>[^>]*)>(?P<body>.*?)</form>", page, re.S | re.I):
        fields = {
            _attribute(field, "name"): html.unescape(_attribute(field, "value"))
            for field in re.findall(r"<input\b[^>]*>", form["body"], re.I)
            if _attribute(field, "name")
        }
        if fields.keys() & {"email", "password", "code"}:
            answers = {name: known.get(name, value) for name, value in fields.items()}
            if "email" in fields:
                # A page that asks for the address alone takes the password with it.
                answers["password"] = visitor.password
            return html.unescape(_attribute(form["head"], "action")), answers
    raise Unexpected(f"no form to sign in with: {page[:1500]}")


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag, re.I)
    return found[1] if found else ""


def scenarios(side: Side) -> dict[str, Scenario]:
    """Every scenario of a side, by the name that `rows.py` uses."""
    token = side.url("token")
    return {
        "discovery": repeat(request("GET", side.url("discovery"))),
        "jwks": repeat(request("GET", side.url("jwks"))),
        "client_credentials_es256": repeat(_machine_request(token, side.es256)),
        "client_credentials_rs256": repeat(_machine_request(token, side.rs256)),
        "private_key_jwt": _signed_requests(side),
        "introspection": _introspection(side),
        "userinfo": _userinfo(side),
        "refresh": _refresh(side),
        "sign_in": _sign_in(side),
        "sign_in_again": _sign_in_again(side),
    }


def _machine_request(url: str, machine: Machine) -> bytes:
    form = {"grant_type": "client_credentials", "resource": machine.resource}
    return request("POST", url, form=form, headers=machine.authorization)


def _signed_requests(side: Side) -> Scenario:
    """`private_key_jwt`: each assertion is good once, so the load signs one for every request."""
    header = {"alg": "ES256", "kid": side.signing_key.kid}

    def signed() -> bytes:
        now = int(time.time())
        claims = {
            "iss": side.signed_client,
            "sub": side.signed_client,
            "aud": side.issuer,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 120,
        }
        form = {
            "grant_type": "client_credentials",
            "resource": side.es256.resource,
            "client_id": side.signed_client,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": jwt.encode(header, claims, side.signing_key),
        }
        return request("POST", side.url("token"), form=form)

    def steps(_connection: int, done: Done) -> Steps:
        while True:
            expect((yield signed()), 200)
            done()

    return steps


def _tokens(side: Side, address: str) -> Generator[bytes, Reply, dict[str, str]]:
    """Trade the code in the address for tokens."""
    answer = parse_qs(urlsplit(address).query)
    if "code" not in answer:
        raise Unexpected(f"no code: {answer}")
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"][0],
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    made = request("POST", side.url("token"), form=form, headers=side.web.authorization)
    tokens: dict[str, str] = json.loads(expect((yield made), 200).body)
    return tokens


def _signed_in(
    side: Side, connection: int
) -> Generator[bytes, Reply, tuple[Browser, dict[str, str]]]:
    visitor = side.visitors[connection % len(side.visitors)]
    browser = Browser(side.issuer, visitor.cookies)
    address = yield from side.pages(browser, visitor)
    tokens = yield from _tokens(side, address)
    return browser, tokens


def _ask_userinfo(side: Side, tokens: dict[str, str]) -> bytes:
    bearer = f"Authorization: Bearer {tokens['access_token']}\r\n"
    return request("GET", side.url("userinfo"), headers=bearer)


def _sign_in(side: Side) -> Scenario:
    def steps(connection: int, done: Done) -> Steps:
        while True:
            _, tokens = yield from _signed_in(side, connection)
            expect((yield _ask_userinfo(side, tokens)), 200)
            done()

    return steps


def _sign_in_again(side: Side) -> Scenario:
    """Over a live session: `/authorize` → code → tokens → userinfo, without a page."""

    def steps(connection: int, done: Done) -> Steps:
        browser, _ = yield from _signed_in(side, connection)
        while True:
            reply = browser.read((yield browser.get(side.authorize_url())), 200, 302, 303)
            address = sent_to(reply)
            if address is None:
                raise Unexpected(f"the session is not taken: {reply.head!r} {reply.body[:500]!r}")
            tokens = yield from _tokens(side, address)
            expect((yield _ask_userinfo(side, tokens)), 200)
            done()

    return steps


def _refresh(side: Side) -> Scenario:
    def steps(connection: int, done: Done) -> Steps:
        _, tokens = yield from _signed_in(side, connection)
        while True:
            form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
            made = request("POST", side.url("token"), form=form, headers=side.web.authorization)
            tokens = json.loads(expect((yield made), 200).body)
            done()

    return steps


def _userinfo(side: Side) -> Scenario:
    def steps(connection: int, done: Done) -> Steps:
        _, tokens = yield from _signed_in(side, connection)
        asked = _ask_userinfo(side, tokens)
        while True:
            expect((yield asked), 200)
            done()

    return steps


def _introspection(side: Side) -> Scenario:
    """A client asks about the access token of somebody who signed in to it."""

    def steps(connection: int, done: Done) -> Steps:
        _, tokens = yield from _signed_in(side, connection)
        asked = request(
            "POST",
            side.url("introspection"),
            form={"token": tokens["access_token"]},
            headers=side.web.authorization,
        )
        while True:
            reply = expect((yield asked), 200)
            if b'"active":true' not in reply.body.replace(b" ", b""):
                raise Unexpected(f"not active: {reply.body!r}")
            done()

    return steps
