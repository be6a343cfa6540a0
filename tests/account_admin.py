"""The admin of an account, by a program: speaks our API with tokens of the admin's own."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from idp.demo.people import DemoPerson
from tests.installation import Installation
from tests.visitor import Visitor

_BACK = "http://localhost:9/callback"
_SCOPE = "openid accounts offline_access"
_MARGIN = 30


@dataclass
class AccountAdmin:
    """Does what an admin does, at once and without a page."""

    running: Installation
    account: str
    client_id: str
    _refresh_token: str = field(default="", repr=False)
    _access_token: str = field(default="", repr=False)
    _renew_at: float = 0

    @classmethod
    def of(cls, running: Installation, account: str, person: DemoPerson) -> "AccountAdmin":
        """Sign an admin of the account in, once."""
        client = running.answer(
            *("client", "create", "--name", "Administracja", "--redirect-uri", _BACK),
            *("--auth-method", "none", "--first-party", "--application", "portal"),
            *("--scope", _SCOPE, "--audience", f"{running.identity}/api"),
        )
        admin = cls(running, account, client["client_id"])
        admin._sign_in(person)
        return admin

    def ask(self, method: str, path: str, *, json: Any = None, version: int | None = None) -> Any:
        """Send a request about the account, and return what it answers."""
        headers = {"Authorization": f"Bearer {self._token()}"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        answer = requests.request(
            method,
            f"{self.running.identity}/api/v1/accounts/{self.account}{path}",
            json=json,
            headers=headers,
            timeout=30,
        )
        assert answer.ok, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    def companies(self) -> dict[str, str]:
        """The keys of the account's companies, by name."""
        return {each["name"]: each["id"] for each in self.ask("GET", "/companies")["items"]}

    def user(self, email: str) -> Any:
        """The user with this address."""
        [found] = self.ask("GET", f"/users?{urlencode({'q': email})}")["items"]
        return found

    def role(self, name: str) -> Any:
        """The role of this name."""
        [found] = [each for each in self.ask("GET", "/roles")["items"] if each["name"] == name]
        return found

    def do(self, email: str, deed: str) -> None:
        """`block` or `unblock` a user."""
        user = self.user(email)
        self.ask("POST", f"/users/{user['id']}/{deed}", version=user["version"])

    def let_hold(self, email: str, assignments: list[dict[str, str | None]]) -> None:
        """Let a user hold exactly these roles: `role_id`, and `company` or None."""
        user = self.user(email)
        self.ask(
            "PUT",
            f"/users/{user['id']}/assignments",
            json={"assignments": assignments},
            version=user["version"],
        )

    def _sign_in(self, person: DemoPerson) -> None:
        verifier = secrets.token_urlsafe(40)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": _BACK,
            "scope": _SCOPE,
            "resource": f"{self.running.identity}/api",
            "account": self.account,
            "state": secrets.token_urlsafe(8),
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        visitor = Visitor(stops=(_BACK,))
        arrived = visitor.sign_in(
            visitor.open(f"{self.running.identity}/authorize?{urlencode(asked)}"),
            email=person.email,
            password=person.password,
            totp_secret=person.totp_secret,
            mailbox=self.running.mailbox,
        )
        found = parse_qs(urlsplit(arrived.url).query)
        assert "code" in found, (arrived.url, arrived.text[:1000])
        self._ask_for_tokens(
            grant_type="authorization_code",
            redirect_uri=_BACK,
            code=found["code"][0],
            code_verifier=verifier,
        )

    def _token(self) -> str:
        if time.monotonic() > self._renew_at:
            self._ask_for_tokens(grant_type="refresh_token", refresh_token=self._refresh_token)
        return self._access_token

    def _ask_for_tokens(self, **fields: str) -> None:
        answer = requests.post(
            f"{self.running.identity}/token",
            data={"client_id": self.client_id, **fields},
            timeout=30,
        )
        assert answer.ok, answer.text
        tokens = answer.json()
        self._access_token, self._refresh_token = tokens["access_token"], tokens["refresh_token"]
        self._renew_at = time.monotonic() + tokens["expires_in"] - _MARGIN
