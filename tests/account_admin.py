"""The admin of an account, by a program: speaks our API with a key of the account's own."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from idp.demo.people import DemoPerson
from tests.installation import Installation
from tests.visitor import Visitor

_BACK = "http://localhost:9/callback"
_PERMISSIONS = ("users:read", "users:manage", "roles:read", "roles:manage", "companies:read")


@dataclass(frozen=True)
class AccountAdmin:
    """Does what an admin does, at once and without a page."""

    running: Installation
    account: str
    key: str

    @classmethod
    def of(cls, running: Installation, account: str, person: DemoPerson) -> "AccountAdmin":
        """Sign an admin of the account in once, and make a key."""
        token = _token(running, account, person)
        answer = requests.post(
            f"{running.identity}/api/v1/accounts/{account}/api-keys",
            json={"name": "Test", "permissions": list(_PERMISSIONS)},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
        return cls(running, account, answer.json()["key"])

    def ask(self, method: str, path: str, *, json: Any = None, version: int | None = None) -> Any:
        """Send a request about the account, and return what it answers."""
        headers = {"Authorization": f"Bearer {self.key}"}
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

    def user(self, email: str) -> Any:
        """The user with this address."""
        [found] = self.ask("GET", f"/users?{urlencode({'q': email})}")["items"]
        return found

    def role(self, name: str) -> Any:
        """The role of this name."""
        [found] = [each for each in self.ask("GET", "/roles")["items"] if each["name"] == name]
        return found

    def do(self, email: str, deed: str) -> None:
        """`block` or `unblock` a user, or `end-sessions`."""
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


def _token(running: Installation, account: str, person: DemoPerson) -> str:
    audience = f"{running.identity}/api"
    client_id = running.answer(
        *("client", "create", "--name", "Administracja", "--redirect-uri", _BACK),
        *("--auth-method", "none", "--first-party", "--application", "portal"),
        *("--scope", "openid accounts", "--audience", audience),
    )["client_id"]
    verifier = secrets.token_urlsafe(40)
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "client_id": client_id,
        "response_type": "code",
        "redirect_uri": _BACK,
        "scope": "openid accounts",
        "resource": audience,
        "account": account,
        "state": secrets.token_urlsafe(8),
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    visitor = Visitor(stops=(_BACK,))
    arrived = visitor.sign_in(
        visitor.open(f"{running.identity}/authorize?{urlencode(asked)}"),
        email=person.email,
        password=person.password,
        totp_secret=person.totp_secret,
        mailbox=running.mailbox,
    )
    found = parse_qs(urlsplit(arrived.url).query)
    assert "code" in found, (arrived.url, arrived.text[:1000])
    answer = requests.post(
        f"{running.identity}/token",
        data={
            "grant_type": "authorization_code",
            "client_id": client_id,
            "redirect_uri": _BACK,
            "code": found["code"][0],
            "code_verifier": verifier,
        },
        timeout=30,
    )
    assert answer.ok, answer.text
    return str(answer.json()["access_token"])
