"""A provider that does what no honest one does, when a test asks for it: wrong issuers, foreign
keys, slow and broken endpoints. Otherwise it is strict, so that what signs in here does so rightly.
"""

import base64
import hashlib
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

from kernel.crypto import new_token
from tests import programs

EVENT = "http://schemas.openid.net/event/backchannel-logout"

ACCOUNT, OTHER_ACCOUNT = "0123456789ab", "ba9876543210"
COMPANY = "0123456789abcdef"
MADE = "feedfeedfeed"

Change = Callable[[dict[str, Any]], None]


def unchanged(_: dict[str, Any]) -> None:
    """Leave a token as it should be."""


class StrictProvider:
    """An OpenID provider on loopback for the clients `portal` and `crm`, and one person."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "key-1"})
        self.published = [self.key]
        self.person = {"sub": "person-1", "email": "anna@example.com", "name": "Anna Nowak"}
        self.sid = "sid-1"
        self.accounts: dict[str, dict[str, Any]] = {
            ACCOUNT: {"name": "Dom i Ogród", "roles": ["admin"], "permissions": ["contacts:read"]},
            OTHER_ACCOUNT: {"name": "Biuro Lis", "roles": [], "permissions": []},
        }
        self.applications: defaultdict[str, list[str]] = defaultdict(lambda: ["portal", "crm"])
        """What each account has."""
        self.entered = {"crm": ACCOUNT}
        """The account that a client without any gets: the CRM is always that of an account."""
        self.blocked: set[str] = set()
        """Accounts in which the person may not work any more."""
        self.pending: set[str] = set()
        """Accounts in which the person has not accepted yet."""
        self.suspended: set[str] = set()
        self.client_of: set[str] = set()
        """Accounts of which the person is a client, and no user."""
        self.refused_fields: set[str] = set()
        """Of an account that is to be made."""
        self.makes_accounts = True
        """Whether it makes one more, or says that there were too many."""
        self.made: dict[str, dict[str, Any]] = {}
        """Accounts by the key that their request came with."""
        self.access_token_seconds = 300
        self.gives_refresh_tokens = True
        self.change_claims: Change = unchanged
        self.change_header: Change = unchanged
        self.change_answer: Change = unchanged
        self.change_metadata: Change = unchanged
        self.change_userinfo: Change = unchanged
        self.change_tokens: Change = unchanged
        self.sign_with = self.key
        self.token_delay = 0.0
        self.token_failure: tuple[int, bytes] | None = None
        self.is_gone = False
        self.asked: Counter[str] = Counter()
        self.token_requests: list[dict[str, str]] = []
        self.problems: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.refresh_tokens: dict[str, bool] = {}
        self.access_tokens: dict[str, str] = {}
        self.contexts: dict[str, tuple[str | None, str | None]] = {}
        """The account and the company of a token, an access token's or a refresh token's."""
        self.assertions: set[str] = set()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def serving(self) -> Iterator["StrictProvider"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self.stop()
            thread.join()

    def stop(self) -> None:
        """Be gone, in the middle of a test too: also for connections that are kept open."""
        self.is_gone = True
        self._server.shutdown()
        self._server.server_close()

    def authorize(self, url: str) -> str:
        """What a browser does at `/authorize`: the person signs in; returns where it goes next."""
        query = urlsplit(url).query
        asked = dict(parse_qsl(query, strict_parsing=True))
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["code_challenge"]) == 43
        assert len(asked["state"]) >= 22
        assert len(asked["nonce"]) >= 22
        assert "openid" in asked["scope"].split()
        if asked.get("account") in self.blocked:
            answer = {"error": "access_denied", "state": asked["state"], "iss": self.issuer}
            return f"{asked['redirect_uri']}?{urlencode(answer)}"
        asked.setdefault("account", self.entered.get(asked["client_id"], ""))
        code = new_token()
        self.codes[code] = asked | {"resources": json.dumps(parse_qs(query).get("resource", []))}
        answer = {"code": code, "state": asked["state"], "iss": self.issuer}
        self.change_answer(answer)
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def metadata(self) -> dict[str, Any]:
        described: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/end-session",
            "authorization_response_iss_parameter_supported": True,
        }
        self.change_metadata(described)
        return described

    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False) | {"use": "sig"} for key in self.published]}

    def token(self, form: dict[str, str]) -> tuple[int, bytes]:
        """The token endpoint."""
        if self.token_delay:
            time.sleep(self.token_delay)
        if self.token_failure is not None:
            return self.token_failure
        with self._lock:
            self.token_requests.append(form)
            client_id = self._authenticated(form)
            if form["grant_type"] == "authorization_code":
                return self._redeem(form, client_id)
            return self._refresh(form, client_id)

    def userinfo(self, authorization: str) -> tuple[int, bytes]:
        token = authorization.removeprefix("Bearer ")
        if self.access_tokens.get(token) != self.issuer:
            return 401, b"{}"
        account, company = self.contexts[token]
        told: dict[str, Any] = dict(self.person)
        if account is not None:
            known = self.accounts[account]
            told |= {"tenant_id": account, "tenant_name": known["name"]}
            told |= {"roles": known["roles"], "permissions": known["permissions"]}
        if company is not None:
            told |= {"company_id": company, "company_name": "Firma Sad"}
        self.change_userinfo(told)
        return 200, json.dumps(told).encode()

    def about_me(self, path: str, token: str) -> dict[str, Any]:
        """What the API says of the person: all accounts, or what they may do in the token's."""
        if path.endswith("/contexts"):
            return {
                "items": [
                    {
                        "account": account,
                        "name": known["name"],
                        "status": "suspended" if account in self.suspended else "active",
                        "member_state": self._state_in(account),
                        "companies": [{"id": COMPANY, "name": "Firma Sad"}],
                        "applications": self.applications[account],
                    }
                    for account, known in sorted(
                        self.accounts.items(), key=lambda each: str(each[1]["name"])
                    )
                ],
                "next": None,
            }
        account, _ = self.contexts[token]
        permissions = self.accounts[account or ""]["permissions"]
        labels = [{"labels": {"pl": f"PL {each}", "en": f"EN {each}"}} for each in permissions]
        given = self.applications[account or ""]
        return {
            "applications": [
                {"id": each, "name": each.upper(), "permissions": labels if each == "crm" else []}
                for each in given
            ]
        }

    def create_account(self, key: str, token: str, wanted: dict[str, Any]) -> tuple[int, bytes]:
        """`POST /accounts` of the API."""
        self._insist(self.access_tokens.get(token) == f"{self.issuer}/api", "a token for the API")
        if not self.makes_accounts:
            return 429, b'{"code":"too_many_requests"}'
        if self.refused_fields:
            faults = [{"pointer": f"/{field}"} for field in sorted(self.refused_fields)]
            return 422, json.dumps({"errors": faults}).encode()
        made = self.made.setdefault(key, {"id": MADE, "name": wanted["name"]})
        self.accounts[made["id"]] = {"name": made["name"], "roles": ["admin"], "permissions": []}
        return 201, json.dumps(made).encode()

    def _state_in(self, account: str) -> str | None:
        if account in self.blocked:
            return "blocked"
        if account in self.client_of:
            return None
        return "pending" if account in self.pending else "active"

    def id_token(self, *, client_id: str, nonce: str, access_token: str) -> str:
        now = int(time.time())
        digest = hashlib.sha256(access_token.encode()).digest()[:16]
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": self.person["sub"],
            "aud": client_id,
            "iat": now,
            "exp": now + 300,
            "auth_time": now - 5,
            "nonce": nonce,
            "acr": "urn:klucznik:acr:two-factor",
            "amr": ["pwd", "otp", "mfa"],
            "sid": self.sid,
            "at_hash": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        }
        self.change_claims(claims)
        return self.sign(claims, typ="JWT")

    def logout_token(self, *, client_id: str = "portal", **changes: Any) -> str:
        """A right logout token for the sign-in, but for `changes`; None leaves a claim out."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": client_id,
            "iat": now,
            "exp": now + 120,
            "jti": new_token(),
            "events": {EVENT: {}},
            "sub": self.person["sub"],
            "sid": self.sid,
        } | changes
        return self.sign(
            {name: value for name, value in claims.items() if value is not None}, typ="logout+jwt"
        )

    def sign(self, claims: dict[str, Any], *, typ: str) -> str:
        header = {"alg": "ES256", "kid": self.sign_with.kid, "typ": typ}
        self.change_header(header)
        if header["alg"] == "none":
            parts = (json.dumps(part).encode() for part in (header, claims))
            return ".".join([*(_base64(part) for part in parts), ""])
        return jwt.encode(header, claims, self.sign_with)

    def _authenticated(self, form: dict[str, str]) -> str:
        assertion = form["client_assertion"]
        client_id = json.loads(_unbase64(assertion.split(".")[1]))["sub"]
        key = ECKey.import_key(json.loads(programs.client_key(client_id)))
        token = jwt.decode(assertion, key, algorithms=["ES256"])
        claims, now = token.claims, time.time()
        self._insist(token.header["kid"] == client_id, "the assertion names its key")
        self._insist(claims["iss"] == claims["sub"] == client_id, "iss and sub are the client")
        self._insist(claims["aud"] == self.issuer, "aud is the issuer, one string")
        self._insist(now - 5 <= claims["iat"] <= now + 5, "iat is now")
        self._insist(now < claims["exp"] <= now + 300, "exp is soon")
        self._insist(claims["jti"] not in self.assertions, "an assertion is used once")
        self._insist("client_id" not in form and "client_secret" not in form, "one method only")
        self.assertions.add(claims["jti"])
        return str(client_id)

    def _redeem(self, form: dict[str, str], client_id: str) -> tuple[int, bytes]:
        asked = self.codes.pop(form["code"], None)
        if asked is None or asked["client_id"] != client_id:
            return 400, b'{"error":"invalid_grant"}'
        challenge = _base64(hashlib.sha256(form["code_verifier"].encode()).digest())
        self._insist(challenge == asked["code_challenge"], "the verifier fits")
        self._insist(form["redirect_uri"] == asked["redirect_uri"], "the same redirect URI")
        self._insist(form["resource"] in json.loads(asked["resources"]), "an asked-for resource")
        context = (asked["account"] or None, asked.get("company"))
        return self._tokens(client_id, form["resource"], context, nonce=asked["nonce"])

    def _refresh(self, form: dict[str, str], client_id: str) -> tuple[int, bytes]:
        if self.refresh_tokens.get(form["refresh_token"]) is not True:
            # Seen before, or never given: whoever has it may have stolen it, so all of them end.
            self._insist(form["refresh_token"] not in self.refresh_tokens, "a token is used once")
            self.refresh_tokens = dict.fromkeys(self.refresh_tokens, False)
            return 400, b'{"error":"invalid_grant"}'
        self.refresh_tokens[form["refresh_token"]] = False
        context = self.contexts[form["refresh_token"]]
        if context[0] in self.blocked:
            return 400, b'{"error":"invalid_grant"}'
        return self._tokens(client_id, form["resource"], context, nonce=None)

    def _tokens(
        self,
        client_id: str,
        audience: str,
        context: tuple[str | None, str | None],
        *,
        nonce: str | None,
    ) -> tuple[int, bytes]:
        access_token = new_token()
        self.access_tokens[access_token] = audience
        self.contexts[access_token] = context
        given: dict[str, Any] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": self.access_token_seconds,
        }
        if self.gives_refresh_tokens:
            given["refresh_token"] = new_token()
            self.refresh_tokens[given["refresh_token"]] = True
            self.contexts[given["refresh_token"]] = context
        if nonce is not None:
            given["id_token"] = self.id_token(
                client_id=client_id, nonce=nonce, access_token=access_token
            )
        self.change_tokens(given)
        return 200, json.dumps(given).encode()

    def _insist(self, holds: bool, rule: str) -> None:
        if not holds:
            self.problems.append(rule)


def _handler(provider: StrictProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            provider.asked[path] += 1
            if path == "/.well-known/openid-configuration":
                self._answer(200, json.dumps(provider.metadata()).encode())
            elif path == "/jwks":
                self._answer(200, json.dumps(provider.jwks()).encode())
            elif path == "/userinfo":
                self._answer(*provider.userinfo(self.headers.get("Authorization", "")))
            elif path.startswith("/api/v1/me/"):
                asker = self.headers.get("Authorization", "").removeprefix("Bearer ")
                self._answer(200, json.dumps(provider.about_me(path, asker)).encode())
            elif path == "/api/refused":
                self._answer(401, b"")
            else:
                self._answer(404, b"{}")

        def do_POST(self) -> None:
            provider.asked[self.path] += 1
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if provider.is_gone:
                self.close_connection = True
                return
            if self.path == "/api/v1/accounts":
                asker = self.headers.get("Authorization", "").removeprefix("Bearer ")
                key = self.headers["Idempotency-Key"]
                self._answer(*provider.create_account(key, asker, json.loads(body)))
                return
            form = dict(parse_qsl(body.decode(), strict_parsing=True))
            self._answer(*provider.token(form))

        def _answer(self, status: int, body: bytes) -> None:
            if provider.is_gone:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
