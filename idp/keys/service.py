"""Making, rotating and withdrawing signing keys.

A next key is published for as long as clients may keep the published keys, and only then signs. The
old one stays published until its last token has ended. So nobody notices a rotation.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from idp.caches import VersionedCache, move_on
from idp.events import ProviderEvent
from idp.keys.models import SigningKey
from idp.keys.ring import KeyOnRing, KeyRing
from idp.protocol import jwt
from idp.protocol.jwt import TokenKey
from idp.settings import IdentitySettings, current_settings
from kernel.crypto import new_token
from kernel.database import Reads
from kernel.errors import NotFound
from kernel.ledger import INSTALLATION
from kernel.resealing import SealedColumn
from tenants.audit import ledger
from tenants.database import db

ES256 = "ES256"
RS256 = "RS256"
ALGORITHMS = (ES256, RS256)

_NAME = "signing_keys"
_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True)
class KeySummary:
    """A key as operators see it in lists."""

    id: str
    algorithm: str
    created_at: datetime
    signs_from: datetime
    state: str
    """next, signing, retired, gone or withdrawn."""


@dataclass(frozen=True)
class _NewKey:
    id: str
    algorithm: str
    private_pem: bytes
    public_jwk: dict[str, Any]


def ring(at: Reads) -> KeyRing:
    """All keys, parsed, as of the version of the database that is read here."""
    found = _cache.get(at, _NAME)
    return found if found is not None else KeyRing((), timedelta())


def last_ring() -> KeyRing | None:
    """All keys as this process saw them last: a ring for who keeps the keys for minutes anyway."""
    return _cache.last(_NAME)


def is_complete(held: KeyRing) -> bool:
    """Whether a key of each algorithm is published: clients keep what they read, for long."""
    return held.algorithms.issuperset(ALGORITHMS)


def signing_key(algorithm: str, *, now: datetime, at: Reads | None = None) -> TokenKey:
    """The key to sign with now. The very first one of its kind is made on the spot."""
    key = (ring(at) if at is not None else _current_ring()).signing(algorithm, now)
    if key is None:
        ensure_keys(now=now, algorithms=(algorithm,))
        key = _current_ring().signing(algorithm, now)
    if key is None:
        raise NotFound(f"no key signs with {algorithm}")
    return key


def _current_ring() -> KeyRing:
    with db.glancing() as glance:
        return ring(glance)


def ensure_keys(*, now: datetime, algorithms: tuple[str, ...] = ALGORITHMS) -> None:
    """Make what is missing and what is due; called by the worker every few minutes."""
    for algorithm in algorithms:
        with db.reading() as session:
            due = when_next_signs(
                ring(session).newest(algorithm), settings=current_settings(), now=now
            )
        if due is not None:
            _add(algorithm, signs_from=due, now=now, only_if_due=True)
    _wipe_retired(now)


def rotate(*, now: datetime) -> list[KeySummary]:
    """Publish the next keys at once; they sign as soon as every client can have seen them."""
    signs_from = now + _notice(current_settings())
    for algorithm in ALGORITHMS:
        with db.reading() as session:
            newest = ring(session).newest(algorithm)
        _add(algorithm, signs_from=signs_from if newest else now, now=now, only_if_due=False)
    return summaries(now=now)


def withdraw(kid: str, *, now: datetime) -> None:
    """Stop believing a key that may be in wrong hands. What it signed is worthless from now on.

    A new key signs at once; clients meet an unknown `kid` and fetch the keys again.
    """
    with db.transaction() as session:
        move_on(session, _NAME)
        algorithm = session.scalars(
            update(SigningKey)
            .where(SigningKey.id == kid, SigningKey.withdrawn_at.is_(None))
            .values(withdrawn_at=now, private_sealed=None)
            .returning(SigningKey.algorithm)
        ).one_or_none()
        if algorithm is not None:
            _note(session, ProviderEvent.KEY_WITHDRAWN, kid, now)
    if algorithm is None:
        raise NotFound("no such key")
    with db.reading() as session:
        left = ring(session).signing(algorithm, now)
    if left is None:
        _add(algorithm, signs_from=now, now=now, only_if_due=False)


def summaries(*, now: datetime) -> list[KeySummary]:
    """All keys, for operators; newest first."""
    with db.reading() as session:
        keys = ring(session)
        rows = session.scalars(select(SigningKey).order_by(SigningKey.created_at.desc())).all()
    return [
        KeySummary(row.id, row.algorithm, row.created_at, row.signs_from, _state(row, keys, now))
        for row in rows
    ]


def when_next_signs(
    newest: KeyOnRing | None, *, settings: IdentitySettings, now: datetime
) -> datetime | None:
    """When the key to be made now would begin to sign, or None while none has to be made."""
    if newest is None:
        return now
    ends = newest.signs_from + timedelta(days=settings.key_rotation_days)
    notice = _notice(settings)
    return max(ends, now + notice) if ends - notice <= now else None


def _notice(settings: IdentitySettings) -> timedelta:
    return timedelta(seconds=settings.jwks_cache_seconds) + _MARGIN


def _kept_for(settings: IdentitySettings) -> timedelta:
    longest = max(settings.id_token_seconds, settings.access_token_seconds)
    return timedelta(seconds=longest + jwt.SKEW_SECONDS) + _MARGIN


def _add(algorithm: str, *, signs_from: datetime, now: datetime, only_if_due: bool) -> None:
    # Making an RSA key takes long; nobody waits for the database meanwhile.
    made = _make(algorithm, current_settings().rsa_bits)
    sealed = current_settings().vault().seal(made.private_pem, context=_context(made.id))
    with db.transaction() as session:
        move_on(session, _NAME)
        if (
            only_if_due
            and session.scalars(
                select(SigningKey.id).where(
                    SigningKey.algorithm == algorithm,
                    SigningKey.withdrawn_at.is_(None),
                    SigningKey.signs_from >= signs_from - _MARGIN,
                )
            ).first()
        ):
            # Another process was quicker; the row's lock made us wait for its commit.
            return
        session.add(
            SigningKey(
                id=made.id,
                algorithm=algorithm,
                private_sealed=sealed,
                public_jwk=made.public_jwk,
                created_at=now,
                signs_from=signs_from,
            )
        )
        _note(session, ProviderEvent.KEY_MADE, made.id, now, algorithm=algorithm)


def _note(session: Session, event: ProviderEvent, kid: str, now: datetime, **details: str) -> None:
    ledger.append(
        session,
        chain=INSTALLATION,
        event=event,
        actor=None,
        subject=f"key:{kid}",
        result="success",
        at=now,
        details=details,
    )


def _make(algorithm: str, rsa_bits: int) -> _NewKey:
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = (
        new_rsa(rsa_bits) if algorithm == RS256 else ec.generate_private_key(ec.SECP256R1())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    kid = new_token(128)
    public = _parse(algorithm, pem).as_dict(private=False)
    jwk = {
        name: value for name, value in public.items() if name in {"kty", "crv", "x", "y", "n", "e"}
    }
    return _NewKey(kid, algorithm, pem, jwk | {"kid": kid, "use": "sig", "alg": algorithm})


def new_rsa(bits: int) -> rsa.RSAPrivateKey:
    """A key, which takes a tenth of a second or several to find."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=bits)


def _parse(algorithm: str, pem: bytes) -> ECKey | RSAKey:
    return RSAKey.import_key(pem) if algorithm == RS256 else ECKey.import_key(pem)


def sealed() -> SealedColumn:
    """The private halves of all keys, for `kernel.resealing`."""
    columns = cast(Table, SigningKey.__table__).c
    return SealedColumn(
        what="signing keys",
        column=columns.private_sealed,
        key=columns.id,
        context=lambda row: _context(row.key),
    )


def _context(kid: str) -> str:
    return f"signing key:{kid}"


def _load(session: Session, _name: str) -> KeyRing | None:
    settings = current_settings()
    rows = session.scalars(
        select(SigningKey).order_by(SigningKey.signs_from.desc(), SigningKey.id)
    ).all()
    return KeyRing([_on_ring(row, settings) for row in rows], _kept_for(settings))


def _on_ring(row: SigningKey, settings: IdentitySettings) -> KeyOnRing:
    private = None
    if row.private_sealed is not None:
        pem = settings.vault().open(row.private_sealed, context=_context(row.id))
        private = TokenKey(row.id, row.algorithm, _parse(row.algorithm, pem))
    return KeyOnRing(
        key=private or jwt.public_key(row.public_jwk),
        public_jwk=row.public_jwk,
        signs_from=row.signs_from,
        private=private,
        withdrawn=row.withdrawn_at is not None,
    )


_cache: VersionedCache[str, KeyRing] = VersionedCache(_NAME, _load)


def _wipe_retired(now: datetime) -> None:
    """Forget the private halves that nobody needs; the public ones still read old hints."""
    with db.reading() as session:
        held = ring(session)
        over = [
            one.key.id
            for one in held.keys
            if one.private is not None and held.is_over(one.key.id, now)
        ]
    if not over:
        return
    with db.transaction() as session:
        move_on(session, _NAME)
        session.execute(
            update(SigningKey).where(SigningKey.id.in_(over)).values(private_sealed=None)
        )


def _state(row: SigningKey, held: KeyRing, now: datetime) -> str:
    if row.withdrawn_at is not None:
        return "withdrawn"
    if row.signs_from > now:
        return "next"
    signing = held.signing(row.algorithm, now)
    if signing is not None and signing.id == row.id:
        return "signing"
    return "gone" if held.is_over(row.id, now) else "retired"
