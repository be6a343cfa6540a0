"""A relying party of our own: asks, redeems, and checks what it gets with joserfc."""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import requests
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from joserfc.jwt import JWTClaimsRegistry

from kernel.crypto import new_token
from tests.visitor import Page

CALLBACK = "https://app.example/callback"
VERIFIER = "a-verifier-that-has-more-than-enough-characters-in-it"
CHALLENGE = str(create_s256_code_challenge(VERIFIER))
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

http = requests.Session()
http.trust_env = False


@dataclass(frozen=True)
class Application:
    """A registered application, with what it alone knows."""

    issuer: str
    id: str
    secret: str | None
    method: str
    key: ECKey | None = None

    def url(self, **changes: Any) -> str:
        """The address of a good authorization request; None takes a parameter away."""
        return f"{self.issuer}/authorize?{urlencode(self.query(**changes), doseq=True)}"

    def query(self, **changes: Any) -> dict[str, Any]:
        query: dict[str, Any] = {
            "client_id": self.id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": "a state",
            "nonce": "a nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        return {name: value for name, value in query.items() if value is not None}

    def trade(self, grant_type: str, **form: Any) -> requests.Response:
        """A request to the token endpoint."""
        return self.post("/token", grant_type=grant_type, **form)

    def post(self, path: str, **form: Any) -> requests.Response:
        """A form to an endpoint, with the application's own proof of itself."""
        headers = {}
        match self.method:
            case "client_secret_basic":
                headers = basic(self.id, self.secret or "")
            case "client_secret_post":
                form = {"client_id": self.id, "client_secret": self.secret} | form
            case "private_key_jwt":
                form = self.assertion() | form
            case _:
                form = {"client_id": self.id} | form
        form = {name: value for name, value in form.items() if value is not None}
        return http.post(self.issuer + path, data=form, headers=headers, timeout=60)

    def redeem(self, page: Page, **changes: Any) -> requests.Response:
        """Trade the code with which somebody came back."""
        good = {"code": answer_of(page)["code"], "redirect_uri": CALLBACK}
        return self.trade("authorization_code", **(good | {"code_verifier": VERIFIER} | changes))

    def tokens(self, page: Page, **changes: Any) -> dict[str, Any]:
        """What the code buys."""
        return tokens_of(self.redeem(page, **changes))

    def assertion(self, **changes: Any) -> dict[str, str]:
        """A client assertion as OIDC.md 7 describes it; None takes a claim away."""
        assert self.key is not None
        second = int(time.time())
        claims = {
            "iss": self.id,
            "sub": self.id,
            "aud": self.issuer,
            "jti": new_token(128),
            "iat": second,
            "nbf": second,
            "exp": second + 60,
        } | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = jwt.encode({"alg": "ES256", "kid": "client-key"}, claims, self.key)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}

    def id_token(self, tokens: dict[str, Any], *, nonce: str | None = "a nonce") -> dict[str, Any]:
        """The claims of an ID token that a relying party has checked."""
        claims = self.verified(tokens["id_token"], typ="JWT")
        assert claims.get("nonce") == nonce
        return claims

    def verified(self, token: str, *, typ: str) -> dict[str, Any]:
        """The claims of a token that the published keys signed for this application."""
        header = header_of(token)
        keys = http.get(f"{self.issuer}/jwks", timeout=60).json()["keys"]
        [published] = [key for key in keys if key["kid"] == header["kid"]]
        assert (published["use"], published["alg"]) == ("sig", header["alg"])
        assert header["typ"] == typ
        read = jwt.decode(token, KeySet.import_key_set({"keys": keys}), algorithms=[header["alg"]])
        JWTClaimsRegistry(
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.id},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(read.claims)
        return dict(read.claims)

    def userinfo(self, tokens: dict[str, Any]) -> requests.Response:
        """Ask who it is."""
        return http.get(f"{self.issuer}/userinfo", headers=bearer(tokens), timeout=60)


def answer_of(page: Page) -> dict[str, str]:
    """What the provider answered, in the query of the redirect URI or in a form for it."""
    for form in page.forms:
        if form.action == CALLBACK:
            return form.fields
    assert page.url.startswith(f"{CALLBACK}?"), f"no answer: {page.url} {page.text[:1000]}"
    query = parse_qs(urlsplit(page.url).query, keep_blank_values=True)
    assert all(len(values) == 1 for values in query.values())
    return {name: values[0] for name, values in query.items()}


def tokens_of(reply: requests.Response) -> dict[str, Any]:
    """The tokens of a good answer of the token endpoint."""
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    """The header that carries an access token."""
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def basic(client_id: str, secret: str) -> dict[str, str]:
    """The header of client_secret_basic: both are form-encoded first (RFC 6749 §2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def header_of(token: str) -> dict[str, Any]:
    """The header of a token, unchecked."""
    return _part(token, 0)


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, unchecked."""
    return _part(token, 1)


def _part(token: str, number: int) -> dict[str, Any]:
    part = token.split(".")[number]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found
