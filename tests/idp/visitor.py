"""Somebody in front of the sign-in pages: reads a page, fills in its form, reads their mail.

Pages are used as a browser without scripts uses them; mails are those that the worker would send.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pyotp
import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from idp.credentials import password, recovery_codes, totp
from idp.credentials.hashing import hashing
from idp.mails import delivery
from idp.worker import create_worker
from kernel import clock
from kernel.mail import Mail
from tenants.database import db
from tenants.outbox import outbox
from tenants.people import service as people

PASSWORD = "cztery zielone parasole"
NEW_PASSWORD = "siedem cichych latarni"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@dataclass
class Form:
    """A form of a page, with what it already holds."""

    action: str
    values: dict[str, str] = field(default_factory=dict)


class _Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._inside = False
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.forms.append(Form(found.get("action") or ""))
            self._inside = True
        if tag == "a":
            self.links.append(found.get("href") or "")
        if tag == "select" and self._inside:
            self._select = found.get("name") or ""
            self.forms[-1].values[self._select] = ""
        if tag == "option" and "selected" in found:
            self.forms[-1].values[self._select] = found.get("value") or ""
        is_ticked = found.get("type") in {"checkbox", "radio", "submit"}
        if tag == "input" and self._inside and found.get("name") and not is_ticked:
            self.forms[-1].values[found["name"] or ""] = found.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False

    def handle_data(self, data: str) -> None:
        self.words.append(data)


class Visitor:
    """A browser. It keeps its cookies, and follows redirects on our own pages."""

    def __init__(self, app: Flask, *, address: str = "192.0.2.7", language: str = "en") -> None:
        self.client = app.test_client()
        self._environ = {"REMOTE_ADDR": address}
        self._headers = {"User-Agent": FIREFOX, "Accept-Language": language}
        self.response: TestResponse
        self.path = ""

    def get(self, url: str) -> "Visitor":
        """Open a page and whatever it redirects to."""
        return self._follow(self._send("GET", url))

    def submit(self, to: str = "", /, **fields: str) -> "Visitor":
        """Send the form whose address begins with `to` (else the first of the card)."""
        form = self.form(to)
        return self._follow(self._send("POST", form.action, data={**form.values, **fields}))

    def post(self, url: str, **fields: str) -> TestResponse:
        """Post to an address with the token of the page that is open; follows nothing."""
        return self._send("POST", url, data={"csrf_token": self.token, **fields})

    def form(self, to: str = "") -> Form:
        """A form of the open page."""
        forms = [form for form in _Page(self.text).forms if form.action != "/preferences"]
        found = [form for form in forms if form.action.startswith(to)]
        assert found, f"no form to {to or 'anywhere'} on {self.path}: {self.words}"
        return found[0]

    @property
    def token(self) -> str:
        match = re.search(r'name="csrf_token" value="([^"]+)"', self.text)
        assert match, f"no form token on {self.path}"
        return match[1]

    @property
    def text(self) -> str:
        return self.response.get_data(as_text=True)

    @property
    def words(self) -> str:
        """What a person reads."""
        return " ".join(" ".join(_Page(self.text).words).split())

    @property
    def flow(self) -> str:
        """The flow that the page's address names."""
        match = re.search(r"flow=([0-9a-f-]{36})", self.path)
        assert match, f"no flow in {self.path}"
        return match[1]

    @property
    def status(self) -> int:
        return self.response.status_code

    def is_signed_in(self) -> bool:
        """Whether the profile opens without asking."""
        return self.client.get("/account", environ_base=self._environ).status_code == 200

    def cookie(self, name: str) -> str | None:
        found = self.client.get_cookie(name)
        return found.value if found is not None else None

    def sign_in(self, email: str, typed: str = PASSWORD) -> "Visitor":
        """Address and password, as far as they lead."""
        self.get("/account")
        self.submit("/sign-in", email=email)
        return self.submit("/sign-in/password", password=typed)

    def _send(self, method: str, url: str, **more: Any) -> TestResponse:
        self.path = url
        return self.client.open(
            url, method=method, headers=self._headers, environ_base=self._environ, **more
        )

    def _follow(self, response: TestResponse) -> "Visitor":
        for _ in range(10):
            if response.status_code not in {301, 302, 303}:
                break
            response = self._send("GET", response.headers["Location"])
        self.response = response
        return self


class Mailroom:
    """Runs the worker and keeps what it would have sent."""

    def __init__(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        self._app = app
        self.sent: list[Mail] = []
        monkeypatch.setattr(delivery, "send_mail", lambda _settings, mail: self.sent.append(mail))

    def deliver(self) -> list[Mail]:
        """The mails that were waiting, sent at the moment at which the last of them was put."""
        before = len(self.sent)
        with db.reading() as session:
            newest = session.scalar(select(func.max(outbox.table.c.created_at)))
        create_worker(self._app).deliver_once(newest or clock.now())
        return self.sent[before:]

    def to(self, email: str) -> Mail:
        """The newest mail to this address."""
        self.deliver()
        found = [mail for mail in self.sent if mail.to == email]
        assert found, f"no mail to {email}; sent: {[mail.subject for mail in self.sent]}"
        return found[-1]

    def code_to(self, email: str) -> str:
        match = re.search(r"\b(\d{8})\b", self.to(email).text)
        assert match, "no code in the mail"
        return match[1]

    def link_to(self, email: str) -> str:
        match = re.search(r"http://localhost:9000(/\S+\?token=\S+)", self.to(email).text)
        assert match, "no link in the mail"
        return match[1]


def a_person(email: str = "anna@example.com", *, password_: str | None = PASSWORD) -> UUID:
    """Somebody with an ID and a password; valid until told otherwise."""
    hash_ = hash_of(password_) if password_ else None
    now = LONG_AGO
    with db.transaction() as session:
        person = people.create(session, email=email, locale="en", now=now)
        if hash_ is not None:
            password.store(session, person_id=person.id, hash_=hash_, now=now)
    return person.id


@cache
def hash_of(typed: str) -> str:
    """Argon2's text for a password, made once in a run."""
    return hashing().hash(password.normalised(typed))


def an_authenticator(person_id: UUID, *, now: datetime) -> pyotp.TOTP:
    """An authenticator app that was added a while ago."""
    with db.transaction() as session:
        secret = totp.begin(session, person_id=person_id, now=now)
        clock_ = pyotp.TOTP(secret)
        long_ago = int(now.timestamp()) // 30 - 10
        assert totp.confirm(
            session,
            person_id=person_id,
            text=clock_.generate_otp(long_ago),
            now=datetime.fromtimestamp(long_ago * 30, now.tzinfo),
        )
    return clock_


def a_sheet(person_id: UUID, *, now: datetime) -> tuple[str, ...]:
    """A sheet of recovery codes."""
    sheet = recovery_codes.make_sheet(hashing())
    with db.transaction() as session:
        recovery_codes.store(session, person_id=person_id, sheet=sheet, now=now)
    return sheet.codes
