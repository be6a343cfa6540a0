"""Fifty at once, against two nodes."""

import base64
import hashlib
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tests.installation import Installation
from tests.visitor import Visitor

AT_ONCE = 50
REDIRECT_URI = "http://localhost:9/callback"
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Nodes:
    """The addresses of both, behind the one name that browsers and clients know."""

    running: Installation
    addresses: tuple[str, str]

    @property
    def host(self) -> str:
        """What a proxy would pass on as `Host`."""
        return urlsplit(self.running.identity).netloc

    def wait_until_ready(self) -> None:
        """Wait for the second node, which nobody else waits for."""
        deadline = time.monotonic() + 60
        while True:
            try:
                if all(requests.get(f"{one}/readyz", timeout=5).ok for one in self.addresses):
                    return
            except requests.ConnectionError:
                pass
            assert time.monotonic() < deadline, "the second node does not start"
            time.sleep(0.2)

    def post(
        self,
        node: int,
        path: str,
        fields: Mapping[str, str],
        *,
        cookies: dict[str, str] | None = None,
    ) -> requests.Response:
        """Post a form to one of the nodes, as a proxy would pass it on."""
        return requests.post(
            f"{self.addresses[node % 2]}{path}",
            data=dict(fields),
            headers={"Host": self.host},
            cookies=cookies,
            allow_redirects=False,
            timeout=60,
        )

    def at_once(self, act: Callable[[int], Answer]) -> list[Answer]:
        """Call `act(number)` fifty times at the same moment; its number says which node."""
        line = threading.Barrier(AT_ONCE)

        def run(number: int) -> Answer:
            line.wait(timeout=30)
            return act(number)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(run, range(AT_ONCE)))


@dataclass
class Application:
    """A public client of somebody who is signed in: gets a code without a page in between."""

    nodes: Nodes
    client_id: str
    visitor: Visitor

    @classmethod
    def of_a_demo_person(cls, nodes: Nodes) -> "Application":
        """Register it and sign a person in, once for all rounds."""
        made = nodes.running.answer(
            *("client", "create", "--name", "Race", "--redirect-uri", REDIRECT_URI),
            *("--auth-method", "none", "--first-party"),
        )
        person = nodes.running.answer("demo")["people"][0]
        application = cls(nodes, made["client_id"], Visitor(stops=(REDIRECT_URI,)))
        arrived = application.visitor.sign_in(
            application.visitor.open(application.request("x" * 43)),
            email=person["email"],
            password=person["password"],
            mailbox=nodes.running.mailbox,
        )
        assert arrived.url.startswith(REDIRECT_URI), arrived.url
        return application

    def request(self, verifier: str) -> str:
        """The address that asks for a code."""
        digest = hashlib.sha256(verifier.encode()).digest()
        words = {
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": "openid offline_access",
            "prompt": "consent",
            "state": secrets.token_urlsafe(8),
            "nonce": secrets.token_urlsafe(8),
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        return f"{self.nodes.running.identity}/authorize?{urlencode(words)}"

    def a_code(self) -> dict[str, str]:
        """The fields that spend a fresh code."""
        verifier = secrets.token_urlsafe(40)
        page = self.visitor.open(self.request(verifier))
        found = parse_qs(urlsplit(page.url).query)
        assert "code" in found, (page.url, re.sub(r"<[^>]+>", " ", page.text)[:500])
        return {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "code": found["code"][0],
            "code_verifier": verifier,
        }

    def a_refresh_token(self) -> dict[str, str]:
        """The fields that spend a fresh refresh token."""
        tokens = self.nodes.post(0, "/token", self.a_code()).json()
        return {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "refresh_token": tokens["refresh_token"],
        }

    def refreshes(self, refresh_token: str) -> bool:
        """Whether this refresh token still buys anything."""
        answer = self.nodes.post(
            1,
            "/token",
            {
                "grant_type": "refresh_token",
                "client_id": self.client_id,
                "refresh_token": refresh_token,
            },
        )
        return answer.ok
