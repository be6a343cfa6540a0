"""API keys of an account: made, listed, rotated, revoked, and believed (TEN-10).

A key acts for the person who made it: with the rights that it was given, as long as that person holds
them. Those of the API itself it uses; those of an account's applications it can only give on, in roles
(SECURITY 12.4). It is shown once; what is kept is its digest.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from kernel.crypto import hash_token
from kernel.database import HotStatement, Reads
from kernel.errors import NotFound, Refused, VersionConflict
from kernel.ids import new_id
from tenants.accounts import service as accounts
from tenants.api_keys import text
from tenants.api_keys.models import ApiKey, ApiKeySecret
from tenants.api_keys.text import Written
from tenants.applications import service as applications
from tenants.applications.service import ACCOUNTS
from tenants.audit import record
from tenants.events import ApiKeyEvent
from tenants.facts.service import Kind, note
from tenants.members.models import Membership
from tenants.roles.power import Actor, MayNotGrant, Right, demand, why_not_grant

MANAGE = Right(ACCOUNTS, "api-keys:manage")
LONGEST_OVERLAP = timedelta(days=7)
_MOST_KEYS = 200
_USED_EVERY = timedelta(minutes=1)
_KEYS = cast(Table, ApiKey.__table__)
_SECRETS = cast(Table, ApiKeySecret.__table__)
_MEMBERSHIPS = cast(Table, Membership.__table__)
_PERSON = "person:"
# A key makes no keys, so that whoever steals one can't make another that outlives it (12.7).
_NEVER = frozenset({MANAGE})


class NotAKey(Refused):
    """A key can't be like this. `field` names what is wrong."""

    status = 422
    reason = "not_valid"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field


class Revoked(Refused):
    """The key is good for nothing any more, and stays so."""

    status = 409
    reason = "revoked"


@dataclass(frozen=True)
class KeySummary:
    """A key as lists show it; nobody can show its secret again."""

    id: UUID
    name: str
    owner_id: UUID
    permissions: tuple[str, ...]
    hint: str
    """The last characters of its newest secret."""
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Fresh:
    """A key with its secret, to be shown this once."""

    key: KeySummary
    text: str


@dataclass(frozen=True)
class Holder:
    """Whom a key speaks for. What it may do depends on what that person may, now."""

    account: str
    key_id: UUID
    owner_id: UUID
    rights: frozenset[Right]
    last_used_at: datetime | None


def create(
    session: Session,
    account: str,
    *,
    name: str,
    permissions: Collection[str],
    expires_at: datetime | None = None,
    actor: Actor,
    now: datetime,
) -> Fresh:
    """A new key of the person who makes it; raises NotPermitted, MayNotGrant, NotAKey."""
    power = demand(actor, account, MANAGE)
    accounts.hold(session, account)
    owner = _owner(actor)
    wanted = _permissions(session, account, permissions)
    refusal = why_not_grant(power, wanted.values(), company=None)
    if refusal:
        raise MayNotGrant(refusal)
    _check_end(expires_at, now)
    if _count(session, account) >= _MOST_KEYS:
        raise NotAKey("name", f"an account has {_MOST_KEYS} keys at most")
    key = ApiKey(
        tenant_id=account,
        id=new_id(),
        name=_name(name),
        owner_id=owner,
        permissions=sorted(wanted),
        expires_at=expires_at,
        version=1,
        created_at=now,
        updated_at=now,
    )
    session.add(key)
    session.flush()
    written = _add_secret(session, account, key.id, now)
    details = {"name": key.name, "permissions": sorted(wanted), "hint": written.hint}
    _tell(session, account, key.id, ApiKeyEvent.CREATED, Kind.API_KEY_CREATED, actor, now, details)
    return Fresh(find(session, account, key.id, actor=actor), str(written))


def rotate(
    session: Session,
    account: str,
    key_id: UUID,
    *,
    overlap: timedelta,
    version: int,
    actor: Actor,
    now: datetime,
) -> Fresh:
    """A new secret; the one before is good for the overlap, older ones end now.

    Only its owner does this; others can revoke it. Of several who rotate at once one wins: the others
    raise VersionConflict. Raises MayNotGrant, Revoked, NotFound, NotAKey too.
    """
    demand(actor, account, MANAGE)
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise NotAKey("overlap", f"between nothing and {LONGEST_OVERLAP.days} days")
    key = find(session, account, key_id, actor=actor)
    if _owner(actor) != key.owner_id:
        raise MayNotGrant("whoever had somebody else's key would have their power")
    if key.revoked_at is not None:
        raise Revoked("a revoked key gets no new secret")
    _move_on(session, account, key_id, version, now)
    until = now + overlap
    this = and_(ApiKeySecret.tenant_id == account, ApiKeySecret.key_id == key_id)
    # What was rotated before is in its own overlap, which ends here: two are good at most.
    session.execute(delete(ApiKeySecret).where(this, ApiKeySecret.expires_at.is_not(None)))
    session.execute(update(ApiKeySecret).where(this).values(expires_at=until))
    written = _add_secret(session, account, key_id, now)
    details = {"hint": written.hint, "overlap_seconds": int(overlap.total_seconds())}
    _tell(session, account, key_id, ApiKeyEvent.ROTATED, Kind.API_KEY_ROTATED, actor, now, details)
    return Fresh(find(session, account, key_id, actor=actor), str(written))


def change(
    session: Session,
    account: str,
    key_id: UUID,
    *,
    name: str,
    version: int,
    actor: Actor,
    now: datetime,
) -> KeySummary:
    """Call it something else; raises NotAKey, NotFound, VersionConflict."""
    demand(actor, account, MANAGE)
    before = find(session, account, key_id, actor=actor)
    cleaned = _name(name)
    _move_on(session, account, key_id, version, now, name=cleaned)
    details = {"name": [before.name, cleaned]}
    _tell(session, account, key_id, ApiKeyEvent.CHANGED, None, actor, now, details)
    return find(session, account, key_id, actor=actor)


def revoke(session: Session, account: str, key_id: UUID, *, actor: Actor, now: datetime) -> None:
    """End a key at once; ending it again changes nothing. Raises NotFound."""
    demand(actor, account, MANAGE)
    find(session, account, key_id, actor=actor)
    ended = session.execute(
        update(_KEYS)
        .where(_KEYS.c.tenant_id == account, _KEYS.c.id == key_id, _KEYS.c.revoked_at.is_(None))
        .values(revoked_at=now, updated_at=now, version=_KEYS.c.version + 1)
    )
    if ended.rowcount:  # type: ignore[attr-defined]
        details: dict[str, Any] = {}
        _tell(
            session, account, key_id, ApiKeyEvent.REVOKED, Kind.API_KEY_REVOKED, actor, now, details
        )


def listed(session: Session, account: str, *, actor: Actor) -> list[KeySummary]:
    """Every key, the newest first; those that ended too."""
    demand(actor, account, MANAGE)
    return _summaries(session, account)


def find(session: Session, account: str, key_id: UUID, *, actor: Actor) -> KeySummary:
    """One key; raises NotFound."""
    demand(actor, account, MANAGE)
    found = _summaries(session, account, ApiKey.id == key_id)
    if not found:
        raise NotFound("no such key in this account")
    return found[0]


def _is_of_its_owner(membership: Any, key: Any) -> Any:
    """That the owner is still the user who made the key: who left and is back starts without it."""
    return and_(
        membership.tenant_id == key.tenant_id,
        membership.person_id == key.owner_id,
        membership.kind == "member",
        membership.created_at <= key.created_at,
    )


_BELIEVED = HotStatement(
    select(_KEYS.c.id, _KEYS.c.owner_id, _KEYS.c.permissions, _KEYS.c.last_used_at)
    .join(
        _SECRETS,
        and_(_SECRETS.c.tenant_id == _KEYS.c.tenant_id, _SECRETS.c.key_id == _KEYS.c.id),
    )
    .join(_MEMBERSHIPS, _is_of_its_owner(_MEMBERSHIPS.c, _KEYS.c))
    .where(
        _KEYS.c.tenant_id == bindparam("account"),
        _SECRETS.c.secret_hash == bindparam("secret_hash"),
        _KEYS.c.revoked_at.is_(None),
        or_(_KEYS.c.expires_at.is_(None), _KEYS.c.expires_at > bindparam("now")),
        or_(_SECRETS.c.expires_at.is_(None), _SECRETS.c.expires_at > bindparam("now")),
    )
)


def believe(at: Reads, given: str, *, now: datetime) -> Holder | None:
    """Whom this text speaks for, if it is a key that is good now. Reads, and writes nothing."""
    written = text.read(given)
    if written is None:
        return None
    row = _BELIEVED.first(
        at, account=written.account, secret_hash=hash_token(written.secret), now=now
    )
    if row is None:
        return None
    rights = frozenset(_right(each) for each in row.permissions)
    return Holder(written.account, row.id, row.owner_id, rights, row.last_used_at)


def holder_of(session: Session, account: str, key_id: UUID, *, now: datetime) -> Holder | None:
    """Whom a key speaks for that is known by its id; None when it is good no more."""
    row = session.execute(
        select(ApiKey.id, ApiKey.owner_id, ApiKey.permissions, ApiKey.last_used_at)
        .join(Membership, _is_of_its_owner(Membership, ApiKey))
        .where(
            ApiKey.tenant_id == account,
            ApiKey.id == key_id,
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
        )
    ).one_or_none()
    if row is None:
        return None
    rights = frozenset(_right(each) for each in row.permissions)
    return Holder(account, row.id, row.owner_id, rights, row.last_used_at)


def used(session: Session, holder: Holder, *, now: datetime) -> None:
    """Write down that a key was used: once a minute at most, for whoever looks at the list."""
    session.execute(
        update(_KEYS)
        .where(
            _KEYS.c.tenant_id == holder.account,
            _KEYS.c.id == holder.key_id,
            or_(_KEYS.c.last_used_at.is_(None), _KEYS.c.last_used_at <= now - _USED_EVERY),
        )
        .values(last_used_at=now)
    )


def is_to_be_noted(holder: Holder, now: datetime) -> bool:
    """Whether `used` would write anything."""
    return holder.last_used_at is None or holder.last_used_at <= now - _USED_EVERY


def _summaries(session: Session, account: str, *conditions: Any) -> list[KeySummary]:
    newest = (
        select(ApiKeySecret.hint)
        .where(
            ApiKeySecret.tenant_id == account,
            ApiKeySecret.key_id == ApiKey.id,
            ApiKeySecret.expires_at.is_(None),
        )
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            ApiKey.id,
            ApiKey.name,
            ApiKey.owner_id,
            ApiKey.permissions,
            newest.label("hint"),
            ApiKey.expires_at,
            ApiKey.last_used_at,
            ApiKey.revoked_at,
            ApiKey.version,
            ApiKey.created_at,
            ApiKey.updated_at,
        )
        .where(ApiKey.tenant_id == account, *conditions)
        .order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    )
    return [
        KeySummary(**{**row, "permissions": tuple(row["permissions"]), "hint": row["hint"] or ""})
        for row in rows.mappings()
    ]


def _move_on(
    session: Session, account: str, key_id: UUID, version: int, now: datetime, **values: Any
) -> None:
    moved = session.execute(
        update(_KEYS)
        .where(_KEYS.c.tenant_id == account, _KEYS.c.id == key_id, _KEYS.c.version == version)
        .values(version=version + 1, updated_at=now, **values)
    )
    if not moved.rowcount:  # type: ignore[attr-defined]
        raise VersionConflict(f"key {key_id} is at another version than {version}")


def _add_secret(session: Session, account: str, key_id: UUID, now: datetime) -> Written:
    written = text.make(account)
    session.add(
        ApiKeySecret(
            tenant_id=account,
            secret_hash=hash_token(written.secret),
            key_id=key_id,
            hint=written.hint,
            created_at=now,
        )
    )
    session.flush()
    return written


def _owner(actor: Actor) -> UUID:
    """A key speaks for a person; no key makes another, and no program makes one for itself."""
    if not actor.id.startswith(_PERSON):
        raise MayNotGrant(f"{actor.id} is no person, and keys belong to people")
    return UUID(actor.id.removeprefix(_PERSON))


def _permissions(session: Session, account: str, wanted: Collection[str]) -> Mapping[str, Right]:
    had = {one.id for one in applications.given_to(session, account)}
    known = {right for right in applications.declared(session) if right.application in had} - _NEVER
    found = {each: _right(each) for each in wanted}
    unknown = sorted(each for each, right in found.items() if right not in known)
    if unknown:
        raise NotAKey("permissions", f"a key can't have {', '.join(unknown)}")
    if not any(right.application == ACCOUNTS for right in found.values()):
        raise NotAKey("permissions", "a key without any of the API itself is good for nothing")
    return found


def _right(word: str) -> Right:
    """What a word in a key's list means: a permission of the API, or `application/permission`."""
    application, slash, permission = word.partition("/")
    if not slash:
        return Right(ACCOUNTS, word)
    # The API's own have one spelling, the short one.
    return Right("" if application == ACCOUNTS else application, permission)


def _check_end(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise NotAKey("expires_at", "is over already")


def _name(given: str) -> str:
    name = " ".join(given.split())
    if not name or len(name) > 100 or not name.isprintable():
        raise NotAKey("name", "between 1 and 100 characters, in one line")
    return name


def _count(session: Session, account: str) -> int:
    counted = select(func.count()).where(ApiKey.tenant_id == account, ApiKey.revoked_at.is_(None))
    return session.scalar(counted) or 0


def _tell(
    session: Session,
    account: str,
    key_id: UUID,
    event: ApiKeyEvent,
    kind: Kind | None,
    actor: Actor,
    now: datetime,
    details: Mapping[str, Any],
) -> None:
    record(
        session,
        account=account,
        event=event,
        actor=actor.id,
        subject=f"key:{key_id}",
        now=now,
        details=details,
    )
    if kind is not None:
        note(session, kind, account=account, person_id=None, now=now, key=key_id)
