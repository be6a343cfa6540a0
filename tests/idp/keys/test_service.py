"""Signing keys rotate on a schedule, and nobody notices (OP-2)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp.keys import service as keys
from idp.keys.models import SigningKey
from idp.protocol import jwt
from idp.settings import current_settings
from kernel.crypto import CannotOpen
from kernel.errors import NotFound
from tenants.audit import LedgerEntry
from tenants.database import db
from tests.conftest import NOON
from tests.idp.provider import ISSUER


def _token(now=NOON, algorithm: str = "ES256") -> str:
    key = keys.signing_key(algorithm, now=now)
    second = int(now.timestamp())
    claims = {"iss": ISSUER, "aud": "app", "iat": second, "exp": second + 3_600}
    return jwt.sign(claims, key, typ="JWT")


def _is_believed(token: str, now) -> bool:
    with db.reading() as session:
        ring = keys.ring(session)
    try:
        jwt.verify(token, find_key=ring.find, typ=("JWT",), issuer=ISSUER, audience="app", now=now)
    except jwt.NotBelieved:
        return False
    return True


def _published(now) -> set[str]:
    with db.reading() as session:
        return {held.key.id for held in keys.ring(session).published(now)}


def _kid(token: str) -> str:
    return str(jwt.read_header(token)["kid"])


def test_the_first_key_is_made_when_it_is_needed(identity_app: Flask):
    first, second = _token(), _token()

    assert _kid(first) == _kid(second)
    assert _kid(first) in _published(NOON)


@pytest.mark.product("OP-2")
@pytest.mark.security("8.5")
def test_a_rotation_is_seen_before_it_counts(identity_app: Flask):
    before = _token()
    cache = timedelta(seconds=current_settings().jwks_cache_seconds)
    published = _published(NOON)

    keys.rotate(now=NOON)

    announced = _published(NOON) - published
    assert announced
    assert _kid(_token(NOON + cache)) == _kid(before)
    later = NOON + cache + timedelta(minutes=1)
    assert _kid(_token(later)) in announced
    assert _is_believed(before, later)


@pytest.mark.product("OP-2")
def test_keys_rotate_on_a_schedule(identity_app: Flask):
    keys.ensure_keys(now=NOON)
    first = _published(NOON)
    almost = NOON + timedelta(days=current_settings().key_rotation_days, minutes=-20)
    keys.ensure_keys(now=almost)
    assert _published(almost) == first

    soon = NOON + timedelta(days=current_settings().key_rotation_days, minutes=-10)
    keys.ensure_keys(now=soon)
    keys.ensure_keys(now=soon + timedelta(minutes=5))

    assert len(_published(soon)) == 2 * len(first)
    over = NOON + timedelta(days=current_settings().key_rotation_days, hours=2)
    assert _published(over).isdisjoint(first)


@pytest.mark.product("OP-2")
@pytest.mark.security("8.5")
def test_a_private_key_is_encrypted_and_bound_to_its_row(identity_app: Flask):
    keys.ensure_keys(now=NOON)
    with db.reading() as session:
        rows = session.scalars(select(SigningKey)).all()

    assert len(rows) == 2
    for row in rows:
        sealed = row.private_sealed or b""
        assert b"PRIVATE" not in sealed
        assert not {"d", "p", "q", "dp", "dq", "qi"} & set(row.public_jwk)
        vault = current_settings().vault()
        assert b"PRIVATE" in vault.open(sealed, context=f"signing key:{row.id}")
        with pytest.raises(CannotOpen):
            vault.open(sealed, context="signing key:another")


@pytest.mark.security("8.5")
def test_a_private_key_is_wiped_once_it_has_served(identity_app: Flask):
    old = _token()
    keys.rotate(now=NOON)
    much_later = NOON + timedelta(days=1)

    keys.ensure_keys(now=much_later)

    with db.reading() as session:
        row = session.get_one(SigningKey, _kid(old))
    assert row.private_sealed is None
    assert {one.id: one.state for one in keys.summaries(now=much_later)}[_kid(old)] == "gone"


@pytest.mark.product("OP-2")
@pytest.mark.security("8.5")
def test_a_withdrawn_key_ends_what_it_signed(identity_app: Flask):
    stolen = _token()

    keys.withdraw(_kid(stolen), now=NOON)

    assert not _is_believed(stolen, NOON)
    assert _kid(stolen) not in _published(NOON)
    assert _is_believed(_token(), NOON)
    with db.reading() as session:
        events = session.scalars(select(LedgerEntry.event).order_by(LedgerEntry.id)).all()
    assert events == ["key:made", "key:withdrawn", "key:made"]


def test_an_unknown_key_can_not_be_withdrawn(identity_app: Flask):
    with pytest.raises(NotFound):
        keys.withdraw("nothing", now=NOON)


def test_operators_see_what_each_key_does(identity_app: Flask):
    keys.ensure_keys(now=NOON)
    keys.rotate(now=NOON)

    states = sorted(one.state for one in keys.summaries(now=NOON))

    assert states == ["next", "next", "signing", "signing"]


def test_two_processes_make_one_key(identity_app: Flask):
    def make(_number: int) -> str:
        with identity_app.app_context():
            return keys.signing_key("ES256", now=NOON).id

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(make, range(8)))

    assert len(made) == 1


@pytest.mark.product("OP-2")
def test_keys_of_both_algorithms_sign(identity_app: Flask):
    for algorithm in keys.ALGORITHMS:
        token = _token(algorithm=algorithm)

        assert jwt.read_header(token)["alg"] == algorithm
        assert _is_believed(token, NOON)
