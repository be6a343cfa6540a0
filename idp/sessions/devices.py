"""Browsers in which a person has signed in before.

A known device keeps its owner signed-in-able while somebody else guesses, and one that the person
asked us to remember is not asked for a second factor, for at most 30 days.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from flask import Response, current_app
from itsdangerous import BadSignature, Signer
from sqlalchemy import (
    Select,
    Table,
    UpdateBase,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.orm import Session

from idp.sessions.models import Device
from idp.sessions.service import LISTED, Whereabouts
from kernel.crypto import hash_token, new_token
from kernel.database import HotStatement, UTCDateTime, Writes, as_session
from kernel.ids import new_id
from kernel.web.cookies import read_cookie, set_cookie
from kernel.web.signing import SignedText

COOKIE = "klucznik_device"
REMEMBERED_FOR = timedelta(days=30)
_SIGNED = "klucznik.signed_devices"
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
        return _signed().read(cookie)
    except (BadSignature, UnicodeDecodeError):
        return None


def give_cookie(response: Response, secret: str) -> None:
    """Let the browser be recognised next time."""
    set_cookie(response, COOKIE, _signed().sign(secret), lifetime=_COOKIE_LIFETIME)


_TABLE = cast(Table, Device.__table__)
_ADD = HotStatement.insert_into(
    _TABLE,
    *("id", "person_id", "secret_hash", "user_agent", "address", "created_at", "last_seen_at"),
    "remembered_until",
)


def _find() -> Select[Any]:
    return select(_TABLE.c.id, _TABLE.c.remembered_until).where(
        _TABLE.c.person_id == bindparam("person_id"),
        _TABLE.c.secret_hash == bindparam("secret_hash"),
        _TABLE.c.ended_at.is_(None),
    )


def _see() -> UpdateBase:
    until = bindparam("remembered_until", type_=UTCDateTime())
    return (
        update(_TABLE)
        .where(
            _TABLE.c.person_id == bindparam("person_id"),
            _TABLE.c.secret_hash == bindparam("secret_hash"),
            _TABLE.c.ended_at.is_(None),
        )
        .values(
            user_agent=bindparam("user_agent"),
            address=bindparam("address"),
            last_seen_at=bindparam("last_seen_at"),
            # Who does not ask for it again is remembered for as long as before.
            remembered_until=func.coalesce(until, _TABLE.c.remembered_until),
        )
        .returning(_TABLE.c.id)
    )


_FIND, _SEE = HotStatement(_find), HotStatement(_see)


def find(session: Session, *, person_id: UUID, secret: str | None) -> KnownDevice | None:
    """The device of this person that the secret belongs to."""
    if secret is None:
        return None
    row = _FIND.first(session, person_id=person_id, secret_hash=hash_token(secret))
    return KnownDevice(row.id, row.remembered_until) if row is not None else None


@dataclass(frozen=True)
class Recognised:
    """The device after a sign-in, and the secret that its browser is to keep."""

    id: UUID
    secret: str
    is_new: bool


def recognise(
    at: Writes,
    *,
    person_id: UUID,
    secret: str | None,
    remember: bool,
    where: Whereabouts,
    now: datetime,
) -> Recognised:
    """Note a complete sign-in in this browser, and with `remember` spare it the second factor."""
    facts = {
        "person_id": person_id,
        "user_agent": where.user_agent,
        "address": where.address,
        "last_seen_at": now,
        "remembered_until": now + REMEMBERED_FOR if remember else None,
    }
    if secret is not None:
        seen = _SEE.first(at, secret_hash=hash_token(secret), **facts)
        if seen is not None:
            return Recognised(seen.id, secret, is_new=False)
    session = as_session(at)
    # A secret whose row was ended is not used again; one that another person of this browser
    # has is shared, for it names the browser.
    secret = secret if secret is not None and _is_unspent(session, person_id, secret) else None
    fresh = secret or new_token()
    device_id = new_id()
    _ADD.rows(session, id=device_id, secret_hash=hash_token(fresh), created_at=now, **facts)
    return Recognised(device_id, fresh, is_new=True)


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
        .limit(LISTED)
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


def knows_another(session: Session, *, person_id: UUID, than: UUID) -> bool:
    """Whether this person has signed in with any other device before."""
    found = session.execute(
        select(Device.id).where(Device.person_id == person_id, Device.id != than).limit(1)
    )
    return found.first() is not None


def _is_unspent(session: Session, person_id: UUID, secret: str) -> bool:
    used = session.execute(
        select(Device.id).where(
            Device.person_id == person_id, Device.secret_hash == hash_token(secret)
        )
    )
    return used.first() is None


def _signed() -> SignedText:
    known: SignedText | None = current_app.extensions.get(_SIGNED)
    if known is None:
        secrets = current_app.extensions["klucznik.settings"].signing_secrets()
        # itsdangerous signs with the last of a list and accepts them all.
        known = SignedText(Signer(list(reversed(secrets)), salt="klucznik.device"))
        current_app.extensions[_SIGNED] = known
    return known
