"""A whole installation as a customer would run it: real processes, ports of its own, a fresh home."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

ROOT = Path(__file__).resolve().parent.parent
KLUCZNIK = [sys.executable, "-m", "klucznik"]
_START_SECONDS = 240
_MAIL_SECONDS = 90
_loopback = build_opener(ProxyHandler({}))

_INVITE = """
import sys
from idp.app import create_app
from kernel import clock
from tenants.database import db
from tenants.invitations import service as invitations
from tenants.roles.power import OPERATOR, Actor

account, email = sys.argv[1:]
with create_app().app_context(), db.transaction(tenant=account) as session:
    invitations.invite(
        session, account, email=email, actor=Actor("operator", OPERATOR), now=clock.now()
    )
"""


@dataclass
class Installation:
    """A running one. Everything that a journey needs to find it."""

    home: Path
    environment: dict[str, str]
    identity: str
    portal: str
    crm: str
    mails: str
    process: "subprocess.Popen[bytes]"
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.home / "run.log"

    def klucznik(self, *words: str) -> str:
        """Run a command of the operators' on it and return what it says."""
        answer = subprocess.run(
            [*KLUCZNIK, *words],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert answer.returncode == 0, f"klucznik {' '.join(words)}: {answer.stderr}"
        return answer.stdout

    def answer(self, *words: str) -> Any:
        """The JSON that a command answers."""
        return json.loads(self.klucznik(*words, "--json"))

    def open_account(self, name: str, *, admin: str, has_crm: bool = True) -> str:
        """Create an account whose admin has an ID already, and return its id."""
        account = str(self.answer("account", "create", "--name", name, "--admin", admin)["id"])
        if has_crm:
            self.klucznik("account", "give-application", account, "crm")
        return account

    def account_of(self, name: str) -> str:
        """The id of the one account that is called so."""
        [found] = [one["id"] for one in self.answer("account", "list") if one["name"] == name]
        return str(found)

    def invite(self, account: str, email: str) -> None:
        """Invite somebody to work in an account, as its admin would over the API."""
        subprocess.run(
            [sys.executable, "-c", _INVITE, account, email],
            env=self.environment,
            cwd=ROOT,
            check=True,
            capture_output=True,
            timeout=240,
        )

    def end_first_access(self, email: str) -> None:
        """Let the temporary password or welcome link of a person be over, as three days would."""
        with contextlib.closing(sqlite3.connect(self.home / "identity.sqlite3")) as database:
            database.execute(
                "UPDATE passwords SET temporary_until = changed_at WHERE temporary_until IS NOT NULL"
                " AND person_id IN (SELECT id FROM people WHERE email_key = ?)",
                (email,),
            )
            database.execute(
                "UPDATE mailed_links SET expires_at = created_at"
                " WHERE purpose = 'welcome' AND email_key = ?",
                (email,),
            )
            database.commit()

    @property
    def mailbox(self) -> "Mailbox":
        return Mailbox(self.mails)

    def logs(self) -> str:
        """Everything that all processes have written."""
        files = [self.log, *sorted((self.home / "logs").glob("*.log"))]
        return "\n".join(file.read_text(errors="replace") for file in files if file.exists())


@dataclass(frozen=True)
class Mail:
    """A mail as the catcher shows it."""

    to: str
    subject: str
    text: str
    html: str
    sent_at: str


@dataclass(frozen=True)
class Mailbox:
    """All mails that were sent to the demo's mail catcher."""

    url: str

    def messages(self, to: str) -> list[Mail]:
        """The mails to one address, newest first."""
        with _loopback.open(f"{self.url}/messages.json", timeout=20) as reply:
            found = json.load(reply)
        return [
            Mail(to, one["subject"], one["text"], one["html"], one["sent_at"])
            for one in found
            if to.casefold() in json.dumps(one["to"], ensure_ascii=False).casefold()
        ]

    def temporary_password(self, to: str) -> str:
        """The newest temporary password that was mailed."""
        pattern = re.compile(r"^\s*(\w{3}(?:-\w{3}){4})\s*$", re.MULTILINE)
        found = pattern.search(
            self.wait_for(to, where=lambda one: bool(pattern.search(one.text))).text
        )
        assert found
        return found[1]

    def newest_code(self, to: str) -> str:
        """The code of the newest mail that has one, once a mail came that was not read before."""
        read = _codes_read.setdefault(self.url, {})
        mail = self.wait_for(to, after=read.get(to, 0), where=lambda one: bool(_code(one)))
        read[to] = len([one for one in self.messages(to) if _code(one)])
        code = _code(mail)
        assert code
        return code

    def link(self, to: str, path: str) -> str:
        """The newest mailed link to a page of ours."""
        pattern = re.compile(rf"https?://\S+{re.escape(path)}\S*")
        mail = self.wait_for(to, where=lambda one: bool(pattern.search(one.text)))
        found = pattern.search(mail.text)
        assert found
        return found[0]

    def wait_for(self, to: str, *, after: int = 0, where: Callable[[Mail], bool] = bool) -> Mail:
        """The newest mail to an address that fits, once there are more than `after` that do."""
        deadline = time.monotonic() + _MAIL_SECONDS
        while time.monotonic() < deadline:
            fitting = [mail for mail in self.messages(to) if where(mail)]
            if len(fitting) > after:
                return fitting[0]
            time.sleep(0.1)
        raise AssertionError(f"no such mail to {to}; there are {self.messages(to)}")


# How many mails with a code were read, by catcher and address: each is good once.
_codes_read: dict[str, dict[str, int]] = {}


def _code(mail: Mail) -> str | None:
    """The code of eight digits in a mail, written in groups or not."""
    found = re.search(r"^\s*(\d{4})[ \u00a0]?(\d{4})\s*$", mail.text, re.MULTILINE)
    return found[1] + found[2] if found else None


@contextlib.contextmanager
def installation(
    home: Path,
    *,
    also_allowed: Sequence[str] = (),
    names: tuple[str, str, str] = ("localhost", "localhost", "localhost"),
    scheme: str = "http",
    settings: dict[str, str] | None = None,
) -> Iterator[Installation]:
    """Start everything with `klucznik run`, give it, and stop it with Ctrl-C's signal."""
    ports = free_ports(6)
    urls = [f"{scheme}://{name}:{port}" for name, port in zip(names, ports[:3], strict=True)]
    hosts = ",".join([*(url.removeprefix(f"{scheme}://") for url in urls), *also_allowed])
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("KLUCZNIK_")},
        "KLUCZNIK_HOME": str(home),
        "KLUCZNIK_ISSUER": urls[0],
        "KLUCZNIK_PORTAL_URL": urls[1],
        "KLUCZNIK_CRM_URL": urls[2],
        "KLUCZNIK_IDENTITY_PORT": str(ports[0]),
        "KLUCZNIK_PORTAL_PORT": str(ports[1]),
        "KLUCZNIK_CRM_PORT": str(ports[2]),
        "KLUCZNIK_MAIL_CATCHER_PORT": str(ports[3]),
        "KLUCZNIK_SMTP_PORT": str(ports[4]),
        "KLUCZNIK_METRICS_PORT": str(ports[5]),
        "KLUCZNIK_OUTGOING_ALLOWED_HOSTS": hosts,
        **(settings or {}),
    }
    home.mkdir(parents=True, exist_ok=True)
    with (home / "run.log").open("wb") as log:
        process = subprocess.Popen(
            [*KLUCZNIK, "run"], env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
        )
    running = Installation(
        home=home,
        environment=environment,
        identity=urls[0],
        portal=urls[1],
        crm=urls[2],
        mails=f"http://localhost:{ports[3]}",
        process=process,
    )
    try:
        _wait_until_ready(running)
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)


def _wait_until_ready(running: Installation) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while b"Ready after" not in running.log.read_bytes():
        assert running.process.poll() is None, running.logs()
        assert time.monotonic() < deadline, running.logs()
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on right now."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
