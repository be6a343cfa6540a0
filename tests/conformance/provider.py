"""A running identity program, and somebody in front of it: everything goes over HTTP."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import pyotp
from flask import Flask
from joserfc.jwk import ECKey
from werkzeug.serving import WSGIRequestHandler, make_server

from idp.app import create_app
from idp.clients import service as clients
from idp.settings import IdentitySettings
from idp.worker import create_worker
from kernel import clock
from kernel.crypto import new_token
from kernel.database import migrations
from klucznik.mail_catcher.mailbox import Mailbox
from klucznik.mail_catcher.smtp import SmtpServer
from tenants.database import db
from tenants.people import service as people
from tests.conformance.application import CALLBACK, Application
from tests.idp import visitor as pages
from tests.installation import free_ports
from tests.programs import SECRETS, MakeDatabase
from tests.visitor import Form, Page, Visitor

AFTER_LOGOUT = "https://app.example/bye"
_MAIL_SECONDS = 10
_CODE = re.compile(r"^\s*(\d{4})[ \u00a0]?(\d{4})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Person:
    """Somebody with an ID."""

    id: UUID
    email: str
    totp: pyotp.TOTP | None = None


@dataclass
class Provider:
    """The program as applications and people meet it, and what its operator can do."""

    app: Flask
    issuer: str
    mails: Mailbox
    receiver_port: int
    _codes_read: dict[str, int] = field(default_factory=dict)

    def person(self, *, with_totp: bool = False, **described: Any) -> Person:
        """Create somebody; their password is the one of all tests."""
        email = f"{new_token(64).lower().strip('-_')}@example.com"
        with self.app.app_context():
            person_id = pages.a_person(email)
            if described:
                with db.transaction() as session:
                    people.describe(session, person_id=person_id, values=described, now=clock.now())
            totp = pages.an_authenticator(person_id, now=clock.now()) if with_totp else None
        return Person(person_id, email, totp)

    def application(self, **changes: Any) -> Application:
        """Register an application of somebody else's; changes are what is registered."""
        method = changes.get("token_endpoint_auth_method", clients.SECRET_BASIC)
        key = None
        if method == clients.PRIVATE_KEY_JWT:
            key = ECKey.generate_key("P-256", {"kid": "client-key"})
            changes["jwks"] = {"keys": [dict(key.as_dict(private=False))]}
        wanted: dict[str, Any] = {
            "name": "Example",
            "redirect_uris": (CALLBACK,),
            "post_logout_redirect_uris": (AFTER_LOGOUT,),
            "audiences": ("https://api.example",),
            "now": clock.now(),
        } | changes
        with self.app.app_context(), db.transaction() as session:
            client_id, secret = clients.register(session, **wanted)
        return Application(self.issuer, client_id, secret, method, key)

    def code_for(self, email: str) -> str:
        """The code of the newest mail to somebody that was not read before."""
        deadline = time.monotonic() + _MAIL_SECONDS
        while time.monotonic() < deadline:
            found = [_CODE.search(mail.text) for mail in self.mails.newest_first(email)]
            codes = [one[1] + one[2] for one in found if one]
            if len(codes) > self._codes_read.get(email, 0):
                self._codes_read[email] = len(codes)
                return codes[0]
            time.sleep(0.02)
        raise AssertionError(f"no mail with a code came to {email}")


class Guest(Visitor):
    """A person with a browser that runs no scripts, whose device is remembered once it is known."""

    def __init__(self, provider: Provider, person: Person, *, language: str = "en") -> None:
        super().__init__(stops=("https://app.example/",))
        self.http.headers["Accept-Language"] = language
        self.provider = provider
        self.person = person
        self.seen: list[str] = []

    def goes_to(self, url: str) -> Page:
        """Open an address, and answer whatever the provider asks until it asks no more."""
        page = self.open(url)
        self.seen = []
        for _ in range(8):
            answer = self._question(page)
            if answer is None:
                return page
            page = answer(page)
        raise AssertionError(f"it does not end: {page.url} {page.text[:1000]}")

    def _question(self, page: Page) -> Callable[[Page], Page] | None:
        answers: dict[str, Callable[[], str]] = {
            "code": self._code,
            "password": lambda: pages.PASSWORD,
            "email": lambda: self.person.email,
        }
        # The page of the address has a hidden field for password managers.
        names = ("email",) if page.form_with("email") else ("code", "password")
        for name in names:
            form = page.form_with(name)
            if form is not None and "/sign-in" in form.action:
                return partial(self._say, form, name, answers[name])
        if "/consent" in page.url:
            self.seen.append("consent")
            return self.allow
        return None

    def _say(self, form: Form, name: str, answer: Callable[[], str], page: Page) -> Page:
        self.seen.append(name)
        given = {name: answer()} | ({"remember": "y"} if name == "code" else {})
        return self.submit(page, form, **given)

    def _code(self) -> str:
        if self.person.totp is not None:
            return self.person.totp.now()
        return self.provider.code_for(self.person.email)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """Nobody reads along."""


@contextmanager
def running(make_database: MakeDatabase) -> Iterator[Provider]:
    """The identity program on a port of its own, with its worker and a mail server."""
    port, receiver_port = free_ports(2)
    issuer = f"http://127.0.0.1:{port}"
    mails = Mailbox()
    smtp = SmtpServer(mails, host="127.0.0.1", port=0)
    settings = IdentitySettings(
        **{
            **SECRETS,
            "issuer": issuer,
            "metrics_port": 0,
            "worker": False,
            "smtp_host": "127.0.0.1",
            "smtp_port": smtp.port,
            "outgoing_allowed_hosts": f"127.0.0.1:{receiver_port}",
            "identity_database_url": make_database(
                "conformance", partial(migrations.upgrade, "identity")
            ),
        }
    )
    app = create_app(settings)
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with app.app_context():
        worker = create_worker(app)
    worker.start()
    try:
        yield Provider(app, issuer, mails, receiver_port)
    finally:
        worker.stop()
        server.shutdown()
        thread.join()
        server.server_close()
        smtp.stop()
        with app.app_context():
            db.engine.dispose()
