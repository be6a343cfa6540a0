"""Browsers in which a person has signed in before.

A known device keeps its owner signed-in-able while somebody else guesses, and one that the person
asked us to remember is not asked for a second factor, for at most 30 days.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import Response, current_app
from itsdangerous import BadSignature, Signer
from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from idp.sessions.models import Device
from idp.sessions.service import Whereabouts
from kernel.crypto import hash_token, new_token
from kernel.ids import new_id
from kernel.web.cookies import read_cookie, set_cookie

COOKIE = "klucznik_device"
REMEMBERED_FOR = timedelta(days=30)
_COOKIE_LIFETIME = timedelta(days=390)


@dataclass(frozen=True)
class KnownDevice:
    """A browser that a person has signed in with."""

    id: UUID
    remembered_until: datetime | None

    def is_remembered(self, now: datetime) -> bool:
        return self.remembered_until is not None and self.remembered_until > now


@dataclass(frozen=True)
class RememberedDevice:
    """A line of the list of remembered devices."""

    id: UUID
    user_agent: str
    address: str | None
    last_seen_at: datetime
    remembered_until: datetime


def secret_of_this_browser() -> str | None:
    """The secret that the browser brought along, if we signed it."""
    cookie = read_cookie(COOKIE)
    if cookie is None:
        return None
    try:
        return _signer().unsign(cookie).decode()
    except (BadSignature, UnicodeDecodeError):
        return None


def give_cookie(response: Response, secret: str) -> None:
    """Let the browser be recognised next time."""
    set_cookie(response, COOKIE, _signer().sign(secret).decode(), lifetime=_COOKIE_LIFETIME)


def find(session: Session, *, person_id: UUID, secret: str | None) -> KnownDevice | None:
    """The device of this person that the secret belongs to."""
    if secret is None:
        return None
    row = session.execute(
        select(Device.id, Device.remembered_until).where(
            Device.person_id == person_id, is_of_browser(secret)
        )
    ).one_or_none()
    return KnownDevice(row.id, row.remembered_until) if row is not None else None


def is_of_browser(secret: str | None) -> ColumnElement[bool]:
    """The condition under which a row of devices is of the browser with this secret."""
    return and_(Device.secret_hash == hash_token(secret or ""), Device.ended_at.is_(None))


@dataclass(frozen=True)
class Recognised:
    """The device after a sign-in, and the secret that its browser is to keep."""

    id: UUID
    secret: str
    is_new: bool


def recognise(
    session: Session,
    *,
    person_id: UUID,
    secret: str | None,
    remember: bool,
    where: Whereabouts,
    now: datetime,
) -> Recognised:
    """Note a complete sign-in in this browser, and with `remember` spare it the second factor."""
    facts = {
        "user_agent": where.user_agent,
        "address": where.address,
        "last_seen_at": now,
        **({"remembered_until": now + REMEMBERED_FOR} if remember else {}),
    }
    if secret is not None:
        seen = session.execute(
            update(Device)
            .where(Device.person_id == person_id, is_of_browser(secret))
            .values(**facts)
            .returning(Device.id)
        ).one_or_none()
        if seen is not None:
            return Recognised(seen.id, secret, is_new=False)
    # A secret whose row was ended is not used again; one that another person of this browser
    # has is shared, for it names the browser.
    secret = secret if secret is not None and _is_unspent(session, person_id, secret) else None
    fresh = secret or new_token()
    device = Device(
        id=new_id(), person_id=person_id, secret_hash=hash_token(fresh), created_at=now, **facts
    )
    session.add(device)
    session.flush()
    return Recognised(device.id, fresh, is_new=True)


def remembered(session: Session, *, person_id: UUID, now: datetime) -> list[RememberedDevice]:
    """The devices on which this person is not asked for a second factor."""
    rows = session.execute(
        select(
            Device.id,
            Device.user_agent,
            Device.address,
            Device.last_seen_at,
            Device.remembered_until,
        )
        .where(
            Device.person_id == person_id,
            Device.ended_at.is_(None),
            Device.remembered_until > now,
        )
        .order_by(Device.last_seen_at.desc())
    )
    return [
        RememberedDevice(id_, user_agent, address, last_seen_at, until)
        for id_, user_agent, address, last_seen_at, until in rows
        if until is not None
    ]


def forget(
    session: Session, *, person_id: UUID, now: datetime, device_id: UUID | None = None
) -> int:
    """Ask for the second factor again: on one device, or on all; says on how many."""
    statement = (
        update(Device)
        .where(
            Device.person_id == person_id,
            Device.ended_at.is_(None),
            Device.remembered_until > now,
        )
        .values(remembered_until=None)
        .returning(Device.id)
    )
    if device_id is not None:
        statement = statement.where(Device.id == device_id)
    return len(session.execute(statement).all())


def knows_any(session: Session, *, person_id: UUID) -> bool:
    """Whether this person has signed in anywhere before."""
    found = session.execute(select(Device.id).where(Device.person_id == person_id).limit(1))
    return found.first() is not None


def _is_unspent(session: Session, person_id: UUID, secret: str) -> bool:
    used = session.execute(
        select(Device.id).where(
            Device.person_id == person_id, Device.secret_hash == hash_token(secret)
        )
    )
    return used.first() is None


def _signer() -> Signer:
    secrets = current_app.extensions["klucznik.settings"].signing_secrets()
    # itsdangerous signs with the last of a list and accepts them all.
    return Signer(list(reversed(secrets)), salt="klucznik.device")
