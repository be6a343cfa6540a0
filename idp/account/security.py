"""What the login security page shows, and the ending of sessions and remembered devices."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.account.facts import note
from idp.credentials import passkeys, password, recovery_codes, totp
from idp.events import IdpEvent
from idp.logout import end_sessions
from idp.sessions import devices
from idp.sessions import service as sessions
from idp.sessions.browser import Browser
from idp.sessions.devices import RememberedDevice
from idp.sessions.service import OpenSession, SignedIn
from kernel.errors import NotFound
from tenants.database import db


@dataclass(frozen=True)
class Factors:
    """How a person can prove who they are."""

    password_changed_at: datetime | None
    has_authenticator: bool
    recovery_codes_left: int
    passkeys: int
    passkey_used_at: datetime | None

    @property
    def has_better_than_mail(self) -> bool:
        return self.has_authenticator or self.passkeys > 0


@dataclass(frozen=True)
class Places:
    """Where a person is signed in, and where no code is asked for."""

    sessions: list[OpenSession]
    devices: list[RememberedDevice]


def factors(me: SignedIn) -> Factors:
    """The person's factors."""
    with db.reading() as session:
        own_passkeys = passkeys.of_person(session, person_id=me.person_id)
        return Factors(
            password_changed_at=password.changed_at(session, person_id=me.person_id),
            has_authenticator=totp.is_enrolled(session, person_id=me.person_id),
            recovery_codes_left=recovery_codes.remaining(session, person_id=me.person_id),
            passkeys=len(own_passkeys),
            passkey_used_at=max(
                (each.last_used_at for each in own_passkeys if each.last_used_at is not None),
                default=None,
            ),
        )


def places(me: SignedIn, *, now: datetime) -> Places:
    """The person's open sessions, this one first, and remembered devices; the last used of many."""
    with db.reading() as session:
        opened = sessions.open_sessions(session, person_id=me.person_id, now=now)
        return Places(
            sessions=sorted(opened, key=lambda each: each.id != me.session_id),
            devices=devices.remembered(session, person_id=me.person_id, now=now),
        )


def end_session(me: SignedIn, session_id: UUID, *, browser: Browser, now: datetime) -> None:
    """End one of the person's own sessions; somebody else's is not found."""
    with db.transaction() as session:
        if not sessions.owns(session, person_id=me.person_id, session_id=session_id):
            raise NotFound("not a session of this person")
        ended = end_sessions(session, session_ids=[session_id], reason="ended-by-person", now=now)
        if ended:
            _note_end(session, me, ended, browser, now)


def end_others(me: SignedIn, *, browser: Browser, now: datetime) -> int:
    """Sign out everywhere else, and ask for a code everywhere again; says how many it were."""
    with db.transaction() as session:
        ended = end_sessions(
            session,
            person_id=me.person_id,
            except_session_id=me.session_id,
            reason="ended-by-person",
            now=now,
        )
        devices.forget(session, person_id=me.person_id, now=now)
        _note_end(session, me, ended, browser, now)
    return len(ended)


def end_all(me: SignedIn, *, browser: Browser, now: datetime) -> None:
    """Sign out everywhere, here too, and ask for a code everywhere again."""
    with db.transaction() as session:
        ended = end_sessions(session, person_id=me.person_id, reason="ended-by-person", now=now)
        devices.forget(session, person_id=me.person_id, now=now)
        _note_end(session, me, ended, browser, now)


def sign_out(me: SignedIn, *, browser: Browser, now: datetime) -> None:
    """End the session of this browser."""
    with db.transaction() as session:
        ended = end_sessions(session, session_ids=[me.session_id], reason="signed-out", now=now)
        if ended:
            _note_end(session, me, ended, browser, now)


def forget_device(me: SignedIn, device_id: UUID, *, browser: Browser, now: datetime) -> None:
    """Ask for a code again on one device."""
    with db.transaction() as session:
        if not devices.forget(session, person_id=me.person_id, device_id=device_id, now=now):
            raise NotFound("not a remembered device of this person")
        note(
            session,
            IdpEvent.DEVICE_FORGOTTEN,
            by=me,
            details={"device": str(device_id)},
            browser=browser,
            now=now,
        )


def _note_end(
    session: Session, me: SignedIn, ended: list[UUID], browser: Browser, now: datetime
) -> None:
    note(
        session,
        IdpEvent.SESSIONS_ENDED,
        by=me,
        details={"sessions": [str(each) for each in ended]},
        browser=browser,
        now=now,
    )
