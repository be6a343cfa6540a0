"""Browser sessions: starting them, finding the current one, knowing whether one is still alive.

Ending them is `idp.logout`: a session never ends without its tokens and its applications.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from flask import Response, request
from sqlalchemy import ColumnElement, Select, Table, UpdateBase, and_, bindparam, select, update
from sqlalchemy.orm import Session

from idp.sessions.models import BrowserSession
from idp.settings import current_settings
from kernel.crypto import hash_token, new_token
from kernel.database import HotStatement, Reads, Writes
from kernel.errors import Refused
from kernel.ids import new_id
from kernel.web.cookies import delete_cookie, read_cookie, set_cookie
from kernel.web.requests import network_of
from tenants.database import db
from tenants.people import service as people

COOKIE = "klucznik_session"
_FOUND = "klucznik.signed_in"
_SEEN_EVERY = timedelta(minutes=1)
LISTED = 100


class SessionOver(Refused):
    """What was to be added to a session came too late: it has ended."""

    reason = "session_over"


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in in this browser, since when and how surely."""

    session_id: UUID
    person_id: UUID
    email: str
    auth_time: datetime
    amr: tuple[str, ...]
    acr: str
    locale: str | None
    last_seen_at: datetime
    device_id: UUID | None
    given_name: str | None
    family_name: str | None
    zoneinfo: str | None = None

    @property
    def short_name(self) -> str:
        return self.given_name or self.email


@dataclass(frozen=True)
class Whereabouts:
    """From where and with what somebody signs in, to be shown to the same person later."""

    user_agent: str = ""
    address: str | None = None

    @property
    def place(self) -> str:
        """Whose tries are counted together."""
        return network_of(self.address)


@dataclass(frozen=True)
class OpenSession:
    """A line of the list of open sessions."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    user_agent: str
    address: str | None


def _by_secret() -> Select[Any]:
    """Finds a living session and its active person. Hot: made of the table, and once."""
    browser = BrowserSession.__table__.c
    person = people.active_people().subquery()
    statement = (
        select(
            browser.id.label("session_id"),
            browser.person_id,
            person.c.email,
            browser.auth_time,
            browser.amr,
            browser.acr,
            person.c.locale,
            browser.last_seen_at,
            browser.device_id,
            person.c.given_name,
            person.c.family_name,
            person.c.zoneinfo,
        )
        .join_from(BrowserSession.__table__, person, person.c.id == browser.person_id)
        .where(
            browser.secret_hash == bindparam("secret_hash"),
            browser.ended_at.is_(None),
            browser.expires_at > bindparam("now"),
            browser.last_seen_at > bindparam("seen_since"),
        )
    )
    return cast(Select[Any], statement)


_BY_SECRET = HotStatement(_by_secret)
_ADD = HotStatement.insert_into(
    BrowserSession.__table__,
    *("id", "secret_hash", "person_id", "device_id", "auth_time", "amr", "acr"),
    *("user_agent", "address", "created_at", "last_seen_at", "expires_at"),
)


_RENEWED = (
    *("secret_hash", "device_id", "auth_time", "amr", "acr", "user_agent", "address"),
    *("last_seen_at", "expires_at"),
)


def _renew() -> UpdateBase:
    browser = BrowserSession.__table__.c
    named: dict[str, Any] = {name: bindparam(name) for name in _RENEWED}
    return (
        update(cast(Table, BrowserSession.__table__))
        .where(
            browser.id == bindparam("session_id"),
            browser.ended_at.is_(None),
            browser.expires_at > bindparam("now"),
            browser.last_seen_at > bindparam("seen_since"),
        )
        .values(named)
        .returning(browser.id)
    )


_RENEW = HotStatement(_renew)


def current(now: datetime) -> SignedIn | None:
    """Who is signed in in the browser that sent this request, or None.

    One statement, once a request, finds the session, its limits and that the person is active. That
    the session was used is noted at most once a minute.
    """
    if _FOUND in request.environ or not read_cookie(COOKIE):
        return _found()
    with db.glancing() as glance:
        current_at(glance, now)
    return note_use(now)


def current_at(at: Reads, now: datetime) -> SignedIn | None:
    """The same where the caller is reading already; `note_use` is for the caller, afterwards."""
    if _FOUND not in request.environ:
        secret = read_cookie(COOKIE)
        request.environ[_FOUND] = find_by_secret(at, secret, now=now) if secret else None
    return _found()


def note_use(now: datetime) -> SignedIn | None:
    """Note that the person used the session that was found."""
    signed_in = _found()
    if signed_in is not None and not _asks_by_itself():
        note_use_of(signed_in, now=now)
    return signed_in


def note_use_of(signed_in: SignedIn, *, now: datetime) -> None:
    """Note that a person used a session, in a transaction of its own and once a minute at most."""
    if now - signed_in.last_seen_at >= _SEEN_EVERY:
        with db.transaction() as session:
            touch(session, signed_in.session_id, now=now)


def _found() -> SignedIn | None:
    found: SignedIn | None = request.environ.get(_FOUND)
    return found


def _asks_by_itself() -> bool:
    """Whether a program asks, and not a person: `prompt=none` never shows a page."""
    return "none" in request.args.get("prompt", "").split()


def find_by_secret(at: Reads, secret: str, *, now: datetime) -> SignedIn | None:
    """The living session that a cookie's value belongs to."""
    row = _BY_SECRET.first(
        at, secret_hash=hash_token(secret), now=now, seen_since=now - idle_limit()
    )
    if row is None:
        return None
    return SignedIn(**{**row._asdict(), "amr": tuple(row.amr)})


def is_alive_at(now: datetime) -> ColumnElement[bool]:
    """The condition under which a row of browser_sessions counts: not ended, idle nor too old."""
    return and_(
        BrowserSession.ended_at.is_(None),
        BrowserSession.expires_at > now,
        BrowserSession.last_seen_at > now - idle_limit(),
    )


def touch(session: Session, session_id: UUID, *, now: datetime) -> None:
    """Note that the person used the session; not for what programs do by themselves."""
    session.execute(
        update(BrowserSession)
        .where(
            BrowserSession.id == session_id,
            BrowserSession.ended_at.is_(None),
            BrowserSession.last_seen_at < now,
        )
        .values(last_seen_at=now)
    )


def start(
    at: Writes,
    *,
    person_id: UUID,
    amr: Sequence[str],
    acr: str,
    now: datetime,
    where: Whereabouts,
    device_id: UUID | None = None,
    auth_time: datetime | None = None,
    renews: SignedIn | None = None,
) -> str:
    """Sign a person in and return the secret for the cookie.

    When the browser's session is the same person's, it goes on under a new secret, and applications
    keep their `sid`; the old secret is dead. Another person's session is for the caller to end.
    `auth_time` is given where a proof is added to an earlier one; raises SessionOver when the
    session of that one has ended.
    """
    secret = new_token()
    facts = {
        "secret_hash": hash_token(secret),
        "device_id": device_id,
        "auth_time": auth_time or now,
        "amr": list(amr),
        "acr": acr,
        "user_agent": where.user_agent,
        "address": where.address,
        "last_seen_at": now,
        # Counted from the proof that began it: adding another one makes it no longer.
        "expires_at": (auth_time or now) + absolute_limit(),
    }
    if renews is not None and renews.person_id == person_id:
        alive = {"session_id": renews.session_id, "now": now, "seen_since": now - idle_limit()}
        if _RENEW.first(at, **alive, **facts) is not None:
            return secret
    if auth_time is not None:
        raise SessionOver("nothing to add to")
    _ADD.rows(at, id=new_id(), person_id=person_id, created_at=now, **facts)
    return secret


def renew_secret(session: Session, session_id: UUID, *, now: datetime) -> str | None:
    """Let a session go on under a new secret, after its person proved who they are; else None."""
    secret = new_token()
    renewed = session.execute(
        update(BrowserSession)
        .where(BrowserSession.id == session_id, is_alive_at(now))
        .values(secret_hash=hash_token(secret))
        .returning(BrowserSession.id)
    )
    return secret if renewed.first() is not None else None


def open_sessions(session: Session, *, person_id: UUID, now: datetime) -> list[OpenSession]:
    """The sessions in which this person is signed in, last used first."""
    rows = session.execute(
        select(
            BrowserSession.id,
            BrowserSession.created_at,
            BrowserSession.last_seen_at,
            BrowserSession.user_agent,
            BrowserSession.address,
        )
        .where(BrowserSession.person_id == person_id, is_alive_at(now))
        .order_by(BrowserSession.last_seen_at.desc())
        .limit(LISTED)
    )
    return [OpenSession(*row) for row in rows]


def owns(session: Session, *, person_id: UUID, session_id: UUID) -> bool:
    """Whether this session is this person's."""
    found = session.execute(
        select(BrowserSession.id).where(
            BrowserSession.id == session_id, BrowserSession.person_id == person_id
        )
    )
    return found.first() is not None


def give_cookie(response: Response, secret: str) -> None:
    """Let the browser carry the session; the server decides how long it counts."""
    set_cookie(response, COOKIE, secret)


def take_cookie(response: Response) -> None:
    """Forget the session in the browser."""
    delete_cookie(response, COOKIE)


def end_in_browser(response: Response) -> Response:
    """Let the browser forget the session, and all that it kept of our pages."""
    take_cookie(response)
    response.headers["Cache-Control"] = "no-store"
    # Never "cookies": on one machine that would empty the neighbours too.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def idle_limit() -> timedelta:
    """How long a session lives unused."""
    return timedelta(minutes=current_settings().session_idle_minutes)


def absolute_limit() -> timedelta:
    """How long a session lives at most."""
    return timedelta(hours=current_settings().session_hours)
