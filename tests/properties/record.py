"""Two browsers, a few people, and a record of who truly proved what: the judge of the property test.

The program is used over its pages alone. What the record says comes from what was typed and from
whose mail it was taken, never from what the program believed; tables are read only to see what
came of it. The record may believe more than the program does (nobody is throttled in it), never less.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pyotp
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from idp.credentials import password, recovery_codes, totp
from idp.credentials.hashing import hashing
from idp.credentials.models import Password, Totp
from idp.protocol import acr
from idp.sessions.models import BrowserSession
from idp.sessions.service import is_alive_at
from kernel.crypto import hash_token
from tenants.database import db
from tenants.people import service as people
from tests.idp.security_key import SecurityKey, a_passkey
from tests.idp.visitor import hash_of
from tests.tenants.making import a_member, an_account

PASSWORDS = ("cztery zielone parasole", "siedem cichych latarni", "dziewięć starych mostów")
FLOW_LIVES = timedelta(minutes=15)
CODE_LIVES = timedelta(minutes=10)
LINK_LIVES = timedelta(minutes=60)
REMEMBERED_FOR = timedelta(days=30)
FRESH_FOR = timedelta(minutes=5)
FIRST_ACCESS_LIVES = timedelta(hours=72)
NOT_ME_LIVES = timedelta(days=7)
WAITING = timedelta(hours=72)
CODES = frozenset({"app-code", "paper-code", "passkey"})
CHALLENGE_LIVES = timedelta(minutes=5)

_numbers = count()


def _must(holds: object, broken: str) -> None:
    assert holds, broken


@dataclass(eq=False)
class Somebody:
    """A person, and what only they know or have."""

    id: UUID | None
    """None until they register."""
    email: str
    password: str | None
    app: pyotp.TOTP | None = None
    key: SecurityKey | None = None
    sheet: list[str] = field(default_factory=list)
    last_step: int = 0
    spent: set[str] = field(default_factory=set)
    """Codes from mails and from paper, and links, that have done what they were for."""
    temporary: str | None = None
    is_new: bool = True
    """Until they set a password of their own in this example."""
    is_locked: bool = False
    has_asked: bool = False
    """For the removal of lost factors."""
    approved_at: datetime | None = None

    @property
    def has_factor(self) -> bool:
        """More than the mailbox."""
        return self.app is not None or self.key is not None


@dataclass(frozen=True)
class Company:
    """An account, and who may be in it how."""

    id: str
    members: frozenset[UUID]
    sign_in_hours: int | None = None


@dataclass(frozen=True)
class Mailed:
    """A secret that reached a mailbox."""

    to: str
    secret: str
    kind: str
    """`code` or `link`."""
    purpose: str
    flow: str | None
    """The flow that had it sent."""
    at: datetime

    def is_good(self, now: datetime) -> bool:
        lives = {"welcome": FIRST_ACCESS_LIVES, "not-me": NOT_ME_LIVES}.get(
            self.purpose, LINK_LIVES
        )
        return now < self.at + (CODE_LIVES if self.kind == "code" else lives)


@dataclass(frozen=True)
class Offer:
    """A challenge for a passkey, as a page handed it out."""

    options: dict[str, Any]
    flow: "Flow"
    alone: bool
    at: datetime

    @property
    def challenge(self) -> str:
        return str(self.options["challenge"])


@dataclass(eq=False)
class Flow:
    """What was truly proved in one flow, by the browser that it belongs to."""

    id: str
    owner: "Browser"
    began: datetime
    wants: tuple[str, ...] = ()
    """The `acr_values` of the request that it answers, or what its account asks for."""
    account: "Company | None" = None
    """The account that the request names."""
    about: str | None = None
    """The address that was given last."""
    password_of: Somebody | None = None
    mailbox_of: str | None = None
    mailbox_for: str | None = None
    temporary_of: Somebody | None = None
    """Whose temporary password was typed."""

    def is_open_to(self, browser: "Browser", now: datetime) -> bool:
        return self.owner is browser and now < self.began + FLOW_LIVES

    def take_address(self, email: str) -> None:
        """Another address: all that was proved was proved about the one before."""
        if self.about != email:
            self.about, self.password_of, self.temporary_of = email, None, None
        if self.mailbox_of != email:
            self.mailbox_of = self.mailbox_for = None


class Way(StrEnum):
    """How somebody got in."""

    REGISTERED = "registered"
    RESET = "password after a reset"
    TEMPORARY = "temporary password"
    WELCOME = "welcome link"
    REMEMBERED = "password on a remembered device"
    MAIL = "password and mailed code"
    APP = "password and app"
    PAPER = "password and recovery code"
    PASSKEY = "passkey alone"
    PASSKEY_TOO = "password and passkey"
    STEPPED_UP = "code on top of a session"
    NEW_APP = "app added"
    LOST = "lost factors removed"
    ACCOUNT = "into an account"


@dataclass(frozen=True)
class Session:
    """A living session, as the table has it."""

    secret_hash: bytes
    person_id: UUID
    acr: str
    auth_time: datetime


class Browser:
    """One browser: its cookies, and for whom it is remembered."""

    def __init__(self, app: Flask, number: int) -> None:
        self.client = app.test_client()
        self.number = number
        self.remembered: dict[UUID, datetime] = {}

    def open(self, method: str, url: str, **more: Any) -> TestResponse:
        environ = {"REMOTE_ADDR": f"192.0.2.{self.number}"}
        return self.client.open(url, method=method, environ_base=environ, **more)

    def follow(self, response: TestResponse, url: str) -> tuple[TestResponse, str]:
        """Where redirects lead, up to the one that leaves us; with the address of that."""
        for _ in range(10):
            if response.status_code not in {301, 302, 303}:
                break
            url = response.headers["Location"]
            if urlsplit(url).netloc not in ("", "localhost:9000"):
                break
            response = self.open("GET", url)
        return response, url

    def holds(self, session: Session) -> bool:
        cookie = self.client.get_cookie("klucznik_session")
        return cookie is not None and hash_token(cookie.value) == session.secret_hash


@dataclass
class Act:
    """Something that one browser did, and what it truly showed with it."""

    browser: Browser
    flow: Flow | None = None
    shown: frozenset[str] = frozenset()
    """Of: mail-code, app-code, paper-code, new-app, passkey, passkey-alone, current-password, welcome, not-me,
    lost."""
    secret: str = ""
    """The code that was shown."""
    step: int = 0
    """The time step of an app's code."""
    whose: Somebody | None = None
    remember: bool = False
    typed: str | None = None
    """A new password."""
    new_app: pyotp.TOTP | None = None
    wants: tuple[str, ...] = ()
    """The `acr_values` of a new request."""
    account: "Company | None" = None
    """The account that it names."""
    about: str | None = None
    """The address that a new flow is about."""


class Record:
    """Everybody and everything of one example, and whether what came of it is right."""

    def __init__(self, app: Flask, now: datetime) -> None:
        self.now = now
        self.browsers = [Browser(app, 10), Browser(app, 11)]
        number = next(_numbers)
        self.people = [
            self._somebody(f"mail{number}@example.com"),
            self._somebody(f"app{number}@example.com", has_app=True),
            self._somebody(f"idle{number}@example.com", has_password=False),
            self._somebody(f"first{number}@example.com", has_password=False),
            Somebody(None, f"new{number}@example.com", None),
            self._somebody(f"key{number}@example.com", has_key=True),
        ]
        members = [each.id for each in self.people if each.id is not None]
        self.companies = [
            self._company(members, second_factor="strong"),
            self._company(members, sign_in_hours=1),
            self._company([]),
        ]
        self.flows: list[Flow] = []
        self.mailed: list[Mailed] = []
        self.offers: list[Offer] = []
        self.ways: set[Way] = set()
        self.sessions = self._living_sessions()
        self._hashes = self._stored(Password.hash)
        self._apps = self._stored_apps()

    def _company(self, members: list[UUID], **wants: Any) -> Company:
        made = an_account(**wants)
        for person_id in members:
            a_member(made.id, person_id)
        return Company(made.id, frozenset(members), wants.get("sign_in_hours"))

    def _somebody(
        self,
        email: str,
        *,
        has_app: bool = False,
        has_key: bool = False,
        has_password: bool = True,
    ) -> Somebody:
        long_ago = self.now - timedelta(days=100)
        sheet = recovery_codes.make_sheet(hashing()) if has_app else None
        hash_ = hash_of(PASSWORDS[0]) if has_password else None
        with db.transaction() as session:
            made = people.create(session, email=email, locale="en", now=long_ago)
            who = Somebody(made.id, email, PASSWORDS[0] if has_password else None)
            if hash_ is not None:
                password.store(session, person_id=made.id, hash_=hash_, now=long_ago)
            if sheet is not None:
                who.app = pyotp.TOTP(totp.begin(session, person_id=made.id, now=long_ago))
                assert totp.confirm(
                    session, person_id=made.id, text=who.app.at(long_ago), now=long_ago
                )
                recovery_codes.store(session, person_id=made.id, sheet=sheet, now=long_ago)
                who.sheet = list(sheet.codes)
        if has_key:
            who.key = a_passkey(made.id, now=long_ago)
        return who

    def who(self, email: str | None) -> Somebody | None:
        return next((each for each in self.people if each.email == email), None)

    def session_of(self, browser: Browser) -> Session | None:
        """The living session that a browser held before its present act."""
        return next((each for each in self.sessions.values() if browser.holds(each)), None)

    def email_of(self, session: Session) -> str:
        """Whose session this is."""
        return self._by_id(session.person_id).email

    def take_mail(self, mails: Iterable[Any], flow: Flow | None, *, codes_are_for: str) -> None:
        """Note the secrets of mails that an act had sent; the newest come last."""
        for mail in mails:
            flow_id = flow.id if flow is not None else None
            link = re.search(
                r"/(register|reset|welcome|not-me)(?:/confirm)?\?token=(\S+)", mail.text
            )
            code = re.search(r"\b(\d{8})\b", mail.text)
            if link is not None:
                self._note_mail(mail.to, link[2], "link", link[1], flow_id)
            if code is not None:
                purpose = link[1] if link is not None else codes_are_for
                self._note_mail(mail.to, code[1], "code", purpose, flow_id)

    def _note_mail(self, to: str, secret: str, kind: str, purpose: str, flow: str | None) -> None:
        self.mailed.append(Mailed(to, secret, kind, purpose, flow, self.now))

    def counts(self, mailed: Mailed, *, flow: Flow | None = None) -> bool:
        """Whether a mailed secret is in time and the newest of its kind, in its flow if a code."""
        newest = next(
            each
            for each in reversed(self.mailed)
            if (each.to, each.kind, each.purpose) == (mailed.to, mailed.kind, mailed.purpose)
            and (mailed.kind == "link" or each.flow == mailed.flow)
        )
        # A notice is not replaced by the next one.
        is_newest = newest is mailed or mailed.purpose == "not-me"
        is_here = mailed.kind == "link" or (flow is not None and flow.id == mailed.flow)
        return is_newest and is_here and mailed.is_good(self.now)

    def judge(self, act: Act, held: Session | None) -> None:
        """Compare what came of an act with what was shown; `held` is the session before it."""
        self._meet_newcomers()
        before, self.sessions = self.sessions, self._living_sessions()
        for id_, session in self.sessions.items():
            if before.get(id_) != session:
                self._judge_entering(act, session, before.get(id_), held)
        hashes, self._hashes = self._hashes, self._stored(Password.hash)
        for person_id, hash_ in self._hashes.items():
            if hashes.get(person_id) != hash_:
                self._judge_new_password(act, self._by_id(person_id), held)
        apps, self._apps = self._apps, self._stored_apps()
        if apps != self._apps:
            self._judge_factors(act, apps, held)
        locked = {each.id for each in self.people if each.is_locked}
        for session in self.sessions.values():
            _must(session.person_id not in locked, "a session of a locked ID")

    def accept_hashes(self) -> None:
        """A program gave first access: that is how the passwords are now."""
        self._hashes = self._stored(Password.hash)

    def shut(self, who: Somebody) -> None:
        """Somebody's owner said «this was not me»."""
        who.is_locked, who.approved_at = True, None
        for browser in self.browsers:
            browser.remembered.pop(who.id or UUID(int=0), None)
        for flow in self.flows:
            if flow.password_of is who:
                flow.password_of = None

    def _judge_entering(
        self, act: Act, session: Session, before: Session | None, held: Session | None
    ) -> None:
        who, browser = self._by_id(session.person_id), act.browser
        _must(browser.holds(session), "a session that the acting browser doesn't hold")
        goes_on = held is not None and held.person_id == session.person_id
        if before is not None and (before.acr, before.auth_time) == (
            session.acr,
            session.auth_time,
        ):
            _must(goes_on and before == held, "somebody else's session got a new secret")
            if act.typed is None and act.shown & {*CODES, "mail-code", "passkey-alone"}:
                self._note_code(act, who)
            return
        flow = act.flow if act.flow and act.flow.is_open_to(browser, self.now) else None
        way = self._way_in(act, session, flow, who, goes_on=goes_on)
        self.ways.add(way)
        if way is Way.TEMPORARY and flow is not None:
            # It came by mail, so the mailbox has answered in this flow.
            flow.mailbox_of, flow.mailbox_for = who.email, "temporary"
        knows_password = flow is not None and flow.password_of is who
        if not knows_password and act.typed is None and way is not Way.PASSKEY:
            _must(goes_on and held and session.auth_time == held.auth_time, "younger than proved")
        if session.acr == acr.TWO_FACTOR or way is Way.LOST:
            who.approved_at = None
        if way is Way.LOST:
            who.key = None
        if act.shown:
            self._note_code(act, who)

    def _note_code(self, act: Act, who: Somebody) -> None:
        """A code let somebody in, or in once more: it must be theirs, and new."""
        if act.shown & {*CODES, "mail-code", "passkey-alone"}:
            _must(act.whose is who, "somebody else's code")
            _must(act.secret not in who.spent, "a code for the second time")
        if "app-code" in act.shown:
            _must(act.step > who.last_step, "an app's code for the second time")
            who.last_step = act.step
        else:
            who.spent.add(act.secret)
        if act.remember and who.id is not None:
            act.browser.remembered[who.id] = self.now + REMEMBERED_FOR

    def _way_in(
        self, act: Act, session: Session, flow: Flow | None, who: Somebody, *, goes_on: bool
    ) -> Way:
        """How this session came to be, after what was shown; nothing else may lead to one."""
        if session.acr == acr.SINGLE_FACTOR and act.typed is not None:
            return self._first_access(act, flow, who)
        if "passkey-alone" in act.shown:
            _must(act.whose is who and session.acr == acr.TWO_FACTOR, "somebody else's passkey")
            return Way.PASSKEY
        knows_password = flow is not None and flow.password_of is who
        _must(knows_password or goes_on, "no password")
        mailbox = (flow.mailbox_of, flow.mailbox_for) if flow is not None else (None, None)
        if session.acr == acr.SINGLE_FACTOR:
            _must(knows_password, "no password in this flow")
            if act.browser.remembered.get(session.person_id, self.now) > self.now:
                return Way.REMEMBERED
            _must(mailbox[0] == who.email and not who.has_factor, "no second factor")
            return Way.RESET
        if session.acr == acr.MAIL_CODE and "lost" in act.shown:
            _must(knows_password, "no password in this flow")
            _must(mailbox == (who.email, "lost"), "no code from the mail")
            _must(who.approved_at and self.now >= who.approved_at + WAITING, "not yet")
            return Way.LOST
        if session.acr == acr.MAIL_CODE:
            _must("mail-code" in act.shown, "no code from the mail")
            _must(not who.has_factor, "a mailed code, though there is something better")
            return Way.MAIL if knows_password else Way.STEPPED_UP
        _must(session.acr == acr.TWO_FACTOR, "an unknown class")
        if "new-app" in act.shown:
            _must(goes_on, "an app added without a session")
            return Way.NEW_APP
        _must(act.shown & CODES, "no code")
        if not knows_password:
            return Way.STEPPED_UP
        if "passkey" in act.shown:
            return Way.PASSKEY_TOO
        return Way.APP if "app-code" in act.shown else Way.PAPER

    def _judge_new_password(self, act: Act, who: Somebody, held: Session | None) -> None:
        _must(act.typed is not None, "a password changed by the way")
        if "current-password" in act.shown:
            _must(held is not None and held.person_id == who.id, "changed without a session")
            if who.app is not None:
                _must(act.shown & CODES, "no code")
                self._note_code(act, who)
            elif who.key is not None and held is not None:
                # A passkey can't be typed in: who has only that has signed in just now.
                _must(self.now - held.auth_time <= timedelta(minutes=5), "no fresh sign-in")
        else:
            flow = act.flow if act.flow and act.flow.is_open_to(act.browser, self.now) else None
            is_reset = flow is not None and (flow.mailbox_of, flow.mailbox_for) == (
                who.email,
                "reset",
            )
            if not is_reset:
                self._first_access(act, flow, who)
            who.is_locked = who.is_locked and not is_reset
        who.password, who.temporary, who.is_new = act.typed, None, False
        for browser in self.browsers:
            browser.remembered.pop(who.id or UUID(int=0), None)
        for flow in self.flows:
            if flow.password_of is who:
                flow.password_of = None
        for session in self.sessions.values():
            if session.person_id == who.id:
                _must(act.browser.holds(session), "another session outlived the password")

    def _first_access(self, act: Act, flow: Flow | None, who: Somebody) -> Way:
        """By which proof a password may be set where there was none of the person's own."""
        if "welcome" in act.shown:
            _must(act.whose is who and who.is_new, "a welcome for somebody else")
            return Way.WELCOME
        if flow is not None and flow.temporary_of is who:
            _must(who.is_new, "a temporary password beside an own one")
            return Way.TEMPORARY
        is_registered = flow is not None and flow.mailbox_of == who.email
        _must(is_registered and flow and flow.mailbox_for == "register", "no proof at all")
        return Way.REGISTERED

    def _judge_factors(self, act: Act, before: dict[UUID, UUID], held: Session | None) -> None:
        for person_id in {*before, *self._apps}:
            if before.get(person_id) == self._apps.get(person_id):
                continue
            who = self._by_id(person_id)
            is_taken_away = person_id not in self._apps and (
                act.shown & {"not-me", "lost"} and act.whose is who
            )
            if not is_taken_away:
                self._judge_own_factor(person_id, person_id in before, held)
            who.app = act.new_app if person_id in self._apps else None
            who.last_step = act.step
            for browser in self.browsers:
                browser.remembered.pop(person_id, None)

    def _judge_own_factor(self, person_id: UUID, had_one: bool, held: Session | None) -> None:
        if held is None or held.person_id != person_id:
            raise AssertionError("a factor without a session")
        _must(self.now - held.auth_time <= FRESH_FOR, "a factor by an old sign-in")
        _must(not had_one or held.acr == acr.TWO_FACTOR, "a factor replaced without showing it")

    def _meet_newcomers(self) -> None:
        for who in self.people:
            if who.id is None:
                with db.reading() as session:
                    found = people.find_by_email(session, who.email)
                who.id = found.id if found is not None else None

    def _ids(self) -> list[UUID]:
        return [each.id for each in self.people if each.id is not None]

    def _by_id(self, person_id: UUID) -> Somebody:
        found = [each for each in self.people if each.id == person_id]
        _must(found, "somebody whom nobody registered")
        return found[0]

    def _living_sessions(self) -> dict[UUID, Session]:
        with db.reading() as session:
            rows = session.execute(
                select(
                    BrowserSession.id,
                    BrowserSession.secret_hash,
                    BrowserSession.person_id,
                    BrowserSession.acr,
                    BrowserSession.auth_time,
                ).where(
                    is_alive_at(self.now),
                    BrowserSession.person_id.in_(self._ids()),
                )
            ).all()
        return {row.id: Session(*row[1:]) for row in rows}

    def _stored(self, column: Any) -> dict[UUID, Any]:
        with db.reading() as session:
            rows = session.execute(
                select(Password.person_id, column).where(Password.person_id.in_(self._ids()))
            ).all()
        return {row[0]: row[1] for row in rows}

    def _stored_apps(self) -> dict[UUID, UUID]:
        with db.reading() as session:
            rows = session.execute(
                select(Totp.person_id, Totp.id).where(
                    Totp.confirmed_at.is_not(None),
                    Totp.person_id.in_(self._ids()),
                )
            ).all()
        return {row[0]: row[1] for row in rows}
