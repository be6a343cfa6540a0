"""npm `openid-client` signs in to us: somebody else's reading of the specifications."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.installation import Installation
from tests.visitor import Visitor

SCRIPT = Path(__file__).with_name("openid_client.mjs")
REDIRECT_URI = "http://localhost:9/callback"
POST_LOGOUT_REDIRECT_URI = "http://localhost:9/goodbye"


@dataclass
class Application:
    """The Node program, spoken to over its pipes."""

    process: "subprocess.Popen[str]"

    def hear(self) -> dict[str, Any]:
        """What it says next."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read() if self.process.stderr else "it ended"
        said: dict[str, Any] = json.loads(line)
        return said

    def tell(self, address: str) -> None:
        """Where the browser arrived."""
        assert self.process.stdin
        self.process.stdin.write(address + "\n")
        self.process.stdin.flush()


@contextmanager
def application(running: Installation) -> Iterator[Application]:
    registered = running.answer(
        *("client", "create", "--name", "Somebody else's application"),
        *("--redirect-uri", REDIRECT_URI),
        *("--post-logout-redirect-uri", POST_LOGOUT_REDIRECT_URI),
    )
    settings = {
        "issuer": running.identity,
        "clientId": registered["client_id"],
        "clientSecret": registered["client_secret"],
        "redirectUri": REDIRECT_URI,
        "postLogoutRedirectUri": POST_LOGOUT_REDIRECT_URI,
    }
    with subprocess.Popen(
        ["node", str(SCRIPT), json.dumps(settings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Application(process)
        finally:
            process.kill()


@pytest.mark.product("OP-1", "CON-1")
def test_openid_client_signs_in_refreshes_asks_revokes_and_signs_out(running: Installation):
    person = running.answer("demo")["people"][0]
    visitor = Visitor(stops=(REDIRECT_URI, POST_LOGOUT_REDIRECT_URI))
    with application(running) as other:
        page = visitor.sign_in(
            visitor.open(other.hear()["authorize"]),
            email=person["email"],
            password=person["password"],
            mailbox=running.mailbox,
        )
        assert page.status == 200, page.url
        arrived = visitor.allow(page)
        other.tell(arrived.url)
        signed_in = other.hear()
        later = other.hear()
        goodbye = other.hear()
    left = visitor.open(goodbye["endSession"])

    assert arrived.url.startswith(REDIRECT_URI)
    assert parse_qs(urlsplit(arrived.url).query)["iss"] == [running.identity]
    assert signed_in["claims"]["iss"] == running.identity
    assert signed_in["userinfo"]["sub"] == signed_in["claims"]["sub"]
    assert signed_in["userinfo"]["email"] == person["email"]
    assert signed_in["expiresIn"] <= 600
    assert later["rotated"]
    assert later["about"]["active"] is True
    assert later["about"]["sub"] == signed_in["claims"]["sub"]
    assert later["activeAfterRevocation"] is False
    assert later["refusal"] == "invalid_grant"
    assert left.url == f"{POST_LOGOUT_REDIRECT_URI}?state={goodbye['logoutState']}"
