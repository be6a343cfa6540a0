"""Authenticator apps (RFC 6238): six digits, 30 seconds, no code twice."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import pyotp
import segno
from flask import current_app
from sqlalchemy import Select, Table, delete, select, update
from sqlalchemy.orm import Session

from idp.credentials.email_code import digits_of
from idp.credentials.models import Totp
from kernel.crypto import Vault, constant_time_equal
from kernel.ids import new_id
from kernel.resealing import SealedColumn

STEP_SECONDS = 30
_SECRET_LETTERS = 32  # of base 32: 160 bits
# The code on display and the one before it, for clocks that are slow and people who type slowly.
_EARLIER_STEPS = 1


@dataclass(frozen=True)
class Enrolment:
    """What an app needs to know, while it is being set up."""

    secret: str
    address: str
    issuer: str

    @property
    def key(self) -> str:
        """The secret in groups of four letters, to be typed."""
        return " ".join(self.secret[start : start + 4] for start in range(0, len(self.secret), 4))

    def uri(self) -> str:
        """What the QR code says."""
        return pyotp.TOTP(self.secret).provisioning_uri(name=self.address, issuer_name=self.issuer)

    def picture(self) -> str:
        """The QR code as an address of an SVG image that carries itself."""
        code = segno.make(self.uri(), error="m", micro=False)
        return code.svg_data_uri(scale=5, border=3, dark="#000", light="#fff", omitsize=False)


def begin(session: Session, *, person_id: UUID, now: datetime, secret: str | None = None) -> str:
    """A fresh secret, which counts once a code has been shown; an unfinished one is dropped.

    Only the demo people bring a `secret` of their own.
    """
    session.execute(delete(Totp).where(Totp.person_id == person_id, Totp.confirmed_at.is_(None)))
    secret = secret or pyotp.random_base32(_SECRET_LETTERS)
    row_id = new_id()
    session.add(
        Totp(
            id=row_id,
            person_id=person_id,
            sealed_secret=_vault().seal(secret.encode(), context=_context(person_id, row_id)),
            last_step=0,
            created_at=now,
        )
    )
    session.flush()
    return secret


def unfinished_secret(session: Session, *, person_id: UUID, since: datetime) -> str | None:
    """The secret that is being set up, to be shown again, unless it is older than that."""
    row = session.execute(
        select(Totp.id, Totp.sealed_secret).where(
            Totp.person_id == person_id, Totp.confirmed_at.is_(None), Totp.created_at >= since
        )
    ).first()
    return _open(row.sealed_secret, person_id, row.id) if row is not None else None


def fits(session: Session, *, person_id: UUID, text: str, now: datetime) -> bool:
    """Whether `confirm` would take this code; asked before what is expensive is made."""
    secret = unfinished_secret(session, person_id=person_id, since=datetime.min.replace(tzinfo=UTC))
    return secret is not None and matching_step(secret, text, now) is not None


def confirm(session: Session, *, person_id: UUID, text: str, now: datetime) -> bool:
    """Finish setting up with a code from the app; an app that was there before is replaced."""
    row = session.execute(
        select(Totp.id, Totp.sealed_secret).where(
            Totp.person_id == person_id, Totp.confirmed_at.is_(None)
        )
    ).first()
    if row is None:
        return False
    step = matching_step(_open(row.sealed_secret, person_id, row.id), text, now)
    if step is None:
        return False
    session.execute(delete(Totp).where(Totp.person_id == person_id, Totp.confirmed_at.is_not(None)))
    confirmed = session.execute(
        update(Totp)
        .where(Totp.id == row.id, Totp.confirmed_at.is_(None))
        .values(confirmed_at=now, last_step=step)
        .returning(Totp.id)
    )
    return confirmed.first() is not None


def accept(session: Session, *, person_id: UUID, text: str, now: datetime) -> bool:
    """Whether this is a code of the person's app that was not accepted before; accepts it.

    The step is stored by one conditional statement and must grow: of fifty requests with one code,
    on however many nodes, one gets through.
    """
    row = session.execute(
        select(Totp.id, Totp.sealed_secret).where(
            Totp.person_id == person_id, Totp.confirmed_at.is_not(None)
        )
    ).first()
    if row is None:
        return False
    step = matching_step(_open(row.sealed_secret, person_id, row.id), text, now)
    if step is None:
        return False
    accepted = session.execute(
        update(Totp)
        .where(Totp.id == row.id, Totp.last_step < step)
        .values(last_step=step)
        .returning(Totp.id)
    )
    return accepted.first() is not None


def is_enrolled(session: Session, *, person_id: UUID) -> bool:
    """Whether the person has an authenticator app."""
    return session.execute(_confirmed(person_id)).first() is not None


def enrolled_among(session: Session, person_ids: Collection[UUID]) -> set[UUID]:
    """Which of these people have an authenticator app."""
    having = select(Totp.person_id).where(
        Totp.person_id.in_(person_ids), Totp.confirmed_at.is_not(None)
    )
    return set(session.scalars(having))


def lock(session: Session, *, person_id: UUID) -> bool:
    """The same, and two who ask at once go on one after the other."""
    return session.execute(_confirmed(person_id).with_for_update()).first() is not None


def enrolled_id(session: Session, *, person_id: UUID) -> UUID | None:
    """Which app the person has: another one after each time that one was added."""
    return session.scalars(_confirmed(person_id)).one_or_none()


def remove(session: Session, *, person_id: UUID, totp_id: UUID | None = None) -> bool:
    """Take the app away, and what is being set up; says whether there was one.

    With `totp_id`, that app alone, and not one that has taken its place.
    """
    statement = delete(Totp).where(Totp.person_id == person_id)
    if totp_id is not None:
        statement = statement.where(Totp.id == totp_id)
    removed = session.execute(statement.returning(Totp.confirmed_at))
    return any(row.confirmed_at is not None for row in removed.all())


def sealed() -> SealedColumn:
    """The secrets of all apps, for `kernel.resealing`."""
    columns = cast(Table, Totp.__table__).c
    return SealedColumn(
        what="authenticator apps",
        column=columns.sealed_secret,
        key=columns.id,
        context=lambda row: _context(row.person_id, row.key),
        needs=(columns.person_id,),
    )


def matching_step(secret: str, text: str, now: datetime) -> int | None:
    """The time step whose code this is: the current one or the one before.

    >>> from datetime import UTC
    >>> matching_step("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "287 082", datetime.fromtimestamp(59, UTC))
    1
    """
    code = digits_of(text)
    if code is None or len(code) != 6:
        return None
    clock = pyotp.TOTP(secret)
    current = int(now.timestamp()) // STEP_SECONDS
    matching = [
        step
        for step in range(current, current - _EARLIER_STEPS - 1, -1)
        if constant_time_equal(clock.generate_otp(step), code)
    ]
    return matching[0] if matching else None


def _confirmed(person_id: UUID) -> Select[UUID]:
    return select(Totp.id).where(Totp.person_id == person_id, Totp.confirmed_at.is_not(None))


def _open(sealed: bytes, person_id: UUID, row_id: UUID) -> str:
    return _vault().open(sealed, context=_context(person_id, row_id)).decode()


def _context(person_id: UUID, row_id: UUID) -> str:
    return f"totp:{person_id}:{row_id}"


def _vault() -> Vault:
    vault: Vault = current_app.extensions["klucznik.settings"].vault()
    return vault
