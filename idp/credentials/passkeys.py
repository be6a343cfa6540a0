"""Passkeys and security keys: what is kept of them, and the challenges that they sign.

What a browser sends is checked in `ceremonies`; here is whose passkey it is, and that nothing
counts twice.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, func, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from idp.credentials.ceremonies import Descriptor, Made, PasskeyRefused, Shown
from idp.credentials.models import Passkey, PasskeyChallenge
from kernel.crypto import constant_time_equal, hash_token
from kernel.ids import new_id

LIFETIME = timedelta(minutes=5)
MOST = 20
# Pages that are open at once, each with its own question, in one flow or of one person.
_MOST_OPEN = 10
LONGEST_NAME = 60
_CHALLENGE_BYTES = 32
_HANDLE_BYTES = 32


class Ceremony(StrEnum):
    """What a challenge is for. One of a kind never counts as another."""

    ADDING = "adding"
    REGISTRATION = "registration"
    SIGN_IN = "sign-in"
    SECOND_FACTOR = "second-factor"


class Kind(StrEnum):
    """Where a passkey lives, as far as it tells."""

    SYNCED = "synced"
    DEVICE = "device"
    SECURITY_KEY = "security-key"


class AlreadyKnown(PasskeyRefused):
    """This passkey was added before, by this person or by somebody else."""


class TooMany(PasskeyRefused):
    """The person has as many passkeys as one may have."""


class WentBack(PasskeyRefused):
    """The passkey's counter did not grow: there may be a copy of it."""


@dataclass(frozen=True)
class KnownPasskey:
    """A passkey that can be asked for."""

    id: UUID
    person_id: UUID
    credential_id: bytes
    public_key: bytes
    user_handle: bytes
    sign_count: int
    name: str
    transports: tuple[str, ...]
    is_verifying: bool
    is_syncable: bool
    is_synced: bool
    created_at: datetime
    last_used_at: datetime | None

    @property
    def descriptor(self) -> Descriptor:
        return Descriptor(self.credential_id, self.transports)

    @property
    def kind(self) -> Kind:
        if self.is_syncable:
            return Kind.SYNCED
        return Kind.DEVICE if "internal" in self.transports else Kind.SECURITY_KEY


@dataclass(frozen=True)
class Challenge:
    """What was asked with a challenge that is used up now."""

    person_id: UUID | None
    user_handle: bytes | None


def has_any(person_id: InstrumentedAttribute[UUID] | ColumnElement[UUID]) -> ColumnElement[bool]:
    """The condition under which a person has a passkey, for a statement about people."""
    return exists().where(Passkey.person_id == person_id)


def is_enrolled(session: Session, *, person_id: UUID) -> bool:
    """Whether the person has a passkey or security key."""
    found = session.execute(select(Passkey.id).where(Passkey.person_id == person_id).limit(1))
    return found.first() is not None


def lock(session: Session, *, person_id: UUID) -> bool:
    """The same, and two who ask at once go on one after the other."""
    held = select(Passkey.id).where(Passkey.person_id == person_id).order_by(Passkey.id)
    return bool(session.execute(held.with_for_update()).all())


def of_person(session: Session, *, person_id: UUID) -> list[KnownPasskey]:
    """The person's passkeys, the oldest first."""
    rows = session.scalars(
        select(Passkey).where(Passkey.person_id == person_id).order_by(Passkey.id)
    )
    return [_as_known(row) for row in rows]


def find(session: Session, credential_id: bytes) -> KnownPasskey | None:
    """The passkey that the authenticator calls so."""
    row = session.scalars(
        select(Passkey).where(Passkey.credential_id == credential_id)
    ).one_or_none()
    return _as_known(row) if row is not None else None


def new_user_handle() -> bytes:
    """What the passkeys of a person are filed under: random, so that it tells nobody who it is."""
    return secrets.token_bytes(_HANDLE_BYTES)


def issue_challenge(
    session: Session,
    *,
    ceremony: Ceremony,
    browser_hash: bytes,
    now: datetime,
    flow_id: UUID | None = None,
    person_id: UUID | None = None,
    user_handle: bytes | None = None,
) -> bytes:
    """A fresh challenge, good once for five minutes, here and for this alone.

    The oldest of many goes: whoever asks again and again fills no table.
    """
    asked = and_(
        PasskeyChallenge.ceremony == ceremony,
        PasskeyChallenge.flow_id == flow_id
        if flow_id is not None
        else and_(PasskeyChallenge.flow_id.is_(None), PasskeyChallenge.person_id == person_id),
    )
    newest = (
        select(PasskeyChallenge.id)
        .where(asked)
        .order_by(PasskeyChallenge.created_at.desc(), PasskeyChallenge.id.desc())
        .limit(_MOST_OPEN - 1)
    )
    session.execute(delete(PasskeyChallenge).where(asked, PasskeyChallenge.id.not_in(newest)))
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    session.add(
        PasskeyChallenge(
            id=new_id(),
            challenge_hash=_hash(challenge),
            browser_hash=browser_hash,
            ceremony=ceremony,
            flow_id=flow_id,
            person_id=person_id,
            user_handle=user_handle,
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    session.flush()
    return challenge


def spend_challenge(
    session: Session,
    challenge: bytes,
    *,
    ceremony: Ceremony,
    browser_hash: bytes,
    now: datetime,
    flow_id: UUID | None = None,
) -> Challenge | None:
    """Use a challenge up by one conditional statement, or None. Commit before anything is checked.

    Of fifty requests with one challenge, on however many nodes, one gets through.
    """
    spent = session.execute(
        update(PasskeyChallenge)
        .where(
            PasskeyChallenge.challenge_hash == _hash(challenge),
            PasskeyChallenge.browser_hash == browser_hash,
            PasskeyChallenge.ceremony == ceremony,
            PasskeyChallenge.flow_id.is_(None)
            if flow_id is None
            else PasskeyChallenge.flow_id == flow_id,
            PasskeyChallenge.used_at.is_(None),
            PasskeyChallenge.expires_at > now,
        )
        .values(used_at=now)
        .returning(PasskeyChallenge.person_id, PasskeyChallenge.user_handle)
    ).one_or_none()
    return Challenge(spent.person_id, spent.user_handle) if spent is not None else None


def store(
    session: Session, made: Made, *, person_id: UUID, user_handle: bytes, name: str, now: datetime
) -> KnownPasskey:
    """Keep a new passkey; raises AlreadyKnown, TooMany."""
    lock(session, person_id=person_id)
    if count(session, person_id=person_id) >= MOST:
        raise TooMany("the person has as many passkeys as one may have")
    passkey = Passkey(
        id=new_id(),
        person_id=person_id,
        credential_id=made.credential_id,
        public_key=made.public_key,
        user_handle=user_handle,
        sign_count=made.sign_count,
        name=name,
        transports=list(made.transports),
        is_verifying=made.is_verified,
        is_syncable=made.is_syncable,
        is_synced=made.is_synced,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(passkey)
    except IntegrityError as known:
        raise AlreadyKnown("the credential id is known already") from known
    return _as_known(passkey)


def note_use(
    session: Session, passkey_id: UUID, shown: Shown, *, now: datetime, may_verify: bool = False
) -> None:
    """Note that a passkey was used; raises WentBack when its counter did not grow.

    The counter is compared and stored by one statement. Authenticators that don't count say zero.
    With `may_verify` (something else was proved beside it) a passkey that has just checked its
    holder may count alone from now on: anybody can set a PIN on a key that had none.
    """
    grew = or_(
        Passkey.sign_count < shown.sign_count,
        and_(Passkey.sign_count == 0, literal(shown.sign_count == 0)),
    )
    noted = session.execute(
        update(Passkey)
        .where(Passkey.id == passkey_id, grew)
        .values(
            sign_count=shown.sign_count,
            is_synced=shown.is_synced,
            is_verifying=or_(Passkey.is_verifying, literal(may_verify and shown.is_verified)),
            last_used_at=now,
        )
        .returning(Passkey.id)
    )
    if noted.first() is not None:
        return
    if session.get(Passkey, passkey_id) is None:
        raise PasskeyRefused("the passkey was removed meanwhile")
    raise WentBack("the counter did not grow")


def rename(session: Session, passkey_id: UUID, name: str, *, person_id: UUID) -> bool:
    """Call one of the person's passkeys otherwise; False when it is not theirs."""
    renamed = session.execute(
        update(Passkey)
        .where(Passkey.id == passkey_id, Passkey.person_id == person_id)
        .values(name=name)
        .returning(Passkey.id)
    )
    return renamed.first() is not None


def remove(session: Session, passkey_id: UUID, *, person_id: UUID) -> bool:
    """Take one of the person's passkeys away; False when it is not theirs."""
    removed = session.execute(
        delete(Passkey)
        .where(Passkey.id == passkey_id, Passkey.person_id == person_id)
        .returning(Passkey.id)
    )
    return removed.first() is not None


def remove_all(session: Session, *, person_id: UUID) -> None:
    """Take all of the person's passkeys away."""
    session.execute(delete(Passkey).where(Passkey.person_id == person_id))


def count(session: Session, *, person_id: UUID) -> int:
    """How many passkeys the person has."""
    return counts(session, person_ids=[person_id]).get(person_id, 0)


def counts(session: Session, *, person_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many passkeys each of these people has; who has none is left out."""
    counted = (
        select(Passkey.person_id, func.count())
        .where(Passkey.person_id.in_(person_ids))
        .group_by(Passkey.person_id)
    )
    return {row[0]: row[1] for row in session.execute(counted)}


def is_filed_under(passkey: KnownPasskey, user_handle: bytes | None) -> bool:
    """Whether the authenticator filed the passkey under the person whose it is."""
    return user_handle is not None and constant_time_equal(passkey.user_handle, user_handle)


def _hash(challenge: bytes) -> bytes:
    return hash_token(challenge.hex())


def _as_known(row: Passkey) -> KnownPasskey:
    return KnownPasskey(
        id=row.id,
        person_id=row.person_id,
        credential_id=row.credential_id,
        public_key=row.public_key,
        user_handle=row.user_handle,
        sign_count=row.sign_count,
        name=row.name,
        transports=tuple(row.transports),
        is_verifying=row.is_verifying,
        is_syncable=row.is_syncable,
        is_synced=row.is_synced,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )
