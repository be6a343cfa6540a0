"""Starting, finding and ending an application's sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.orm import Session

from kernel.crypto import Vault, hash_token, new_token
from kernel.database import Database
from kernel.ids import new_id
from relying_party.sessions.models import SessionMixin

# Writing down each request would make every page a write.
_SEEN_EVERY = timedelta(seconds=60)
_SWEPT_AT_ONCE = 200


class EndReason(StrEnum):
    """Why a session is over."""

    SIGNED_OUT = "signed-out"
    SIGNED_IN_AGAIN = "signed-in-again"
    LOGGED_OUT_BY_PROVIDER = "logged-out-by-provider"
    REFUSED_BY_PROVIDER = "refused-by-provider"


@dataclass(frozen=True)
class SignedIn:
    """The person of the request being answered. Who it is: (issuer, subject), nothing else."""

    session_id: UUID
    issuer: str
    subject: str
    email: str | None
    name: str | None
    locale: str | None
    zoneinfo: str | None
    acr: str | None
    amr: tuple[str, ...]
    auth_time: datetime
    signed_in_at: datetime
    vouched_until: datetime

    @property
    def display_name(self) -> str:
        """What to call the person: the name if there is one, else the address."""
        return self.name or self.email or self.subject


@dataclass(frozen=True)
class NewSession:
    """What a sign-in found out."""

    issuer: str
    subject: str
    sid: str | None
    id_token: str
    email: str | None
    name: str | None
    locale: str | None
    zoneinfo: str | None
    acr: str | None
    amr: tuple[str, ...]
    auth_time: datetime
    vouched_until: datetime


class Described(Protocol):
    """What the provider says of a person, to be shown."""

    @property
    def email(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def locale(self) -> str | None: ...
    @property
    def zoneinfo(self) -> str | None: ...


class Sessions:
    """The sessions of one application."""

    def __init__(
        self,
        db: Database,
        model: type[SessionMixin],
        *,
        vault: Vault,
        idle: timedelta,
        absolute: timedelta,
    ) -> None:
        self._db = db
        self._model = model
        self._vault = vault
        self._idle = idle
        self._absolute = absolute

    def start(self, session: Session, new: NewSession, *, now: datetime) -> tuple[UUID, str]:
        """Make a session; returns its id and the secret for the cookie, which nobody else keeps."""
        session_id, secret = new_id(), new_token()
        session.execute(
            insert(self._model).values(
                id=session_id,
                secret_hash=hash_token(secret),
                issuer=new.issuer,
                subject=new.subject,
                sid=new.sid,
                id_token=self._vault.seal(new.id_token.encode(), context=_context(session_id)),
                email=new.email,
                name=new.name,
                locale=new.locale,
                zoneinfo=new.zoneinfo,
                acr=new.acr,
                amr=list(new.amr),
                auth_time=new.auth_time,
                created_at=now,
                last_seen_at=now,
                vouched_until=new.vouched_until,
                # Counted from when the person proved who they are, which may be a while ago.
                expires_at=max(new.auth_time + self._absolute, new.vouched_until),
            )
        )
        return session_id, secret

    def current(self, secret: str | None, *, now: datetime) -> SignedIn | None:
        """Who comes with this secret, or None. Being here counts as activity."""
        if not secret:
            return None
        model = self._model
        with self._db.reading() as session:
            row = session.execute(
                select(
                    model.id,
                    model.issuer,
                    model.subject,
                    model.email,
                    model.name,
                    model.locale,
                    model.zoneinfo,
                    model.acr,
                    model.amr,
                    model.auth_time,
                    model.created_at,
                    model.vouched_until,
                    model.last_seen_at,
                ).where(model.secret_hash == hash_token(secret), *self._is_alive(now))
            ).one_or_none()
        if row is None:
            return None
        if now - row.last_seen_at >= _SEEN_EVERY:
            self._saw(row.id, now)
        return SignedIn(
            session_id=row.id,
            issuer=row.issuer,
            subject=row.subject,
            email=row.email,
            name=row.name,
            locale=row.locale,
            zoneinfo=row.zoneinfo,
            acr=row.acr,
            amr=tuple(row.amr),
            auth_time=row.auth_time,
            signed_in_at=row.created_at,
            vouched_until=row.vouched_until,
        )

    def id_token(self, session_id: UUID) -> str:
        """The ID token that began this session."""
        with self._db.reading() as session:
            sealed = session.scalars(
                select(self._model.id_token).where(self._model.id == session_id)
            ).one()
        return self._vault.open(sealed, context=_context(session_id)).decode()

    def confirm(
        self, session: Session, session_id: UUID, person: Described, *, until: datetime
    ) -> None:
        """Write down that the provider has just confirmed the session, and what it said to show."""
        session.execute(
            update(self._model)
            .where(self._model.id == session_id)
            .values(
                vouched_until=until,
                email=person.email,
                name=person.name,
                locale=person.locale,
                zoneinfo=person.zoneinfo,
            )
        )

    def joins(
        self, secret: str | None, *, issuer: str, subject: str, sid: str | None
    ) -> UUID | None:
        """The live session of this browser, where it came from the same sign-in; else None."""
        if not secret or sid is None:
            return None
        model = self._model
        with self._db.reading() as session:
            return session.scalars(
                select(model.id).where(
                    model.secret_hash == hash_token(secret),
                    model.ended_at.is_(None),
                    model.issuer == issuer,
                    model.subject == subject,
                    model.sid == sid,
                )
            ).one_or_none()

    def doubt(self, session: Session, session_ids: Sequence[UUID], *, now: datetime) -> None:
        """Have the provider asked before these sessions are believed again."""
        model = self._model
        session.execute(
            update(model)
            .where(model.id.in_(session_ids), model.vouched_until > now)
            .values(vouched_until=now)
        )

    def end(
        self, session: Session, session_ids: Sequence[UUID], *, reason: EndReason, now: datetime
    ) -> None:
        """End these sessions; the first reason stays."""
        session.execute(
            update(self._model)
            .where(self._model.id.in_(session_ids), self._model.ended_at.is_(None))
            .values(ended_at=now, end_reason=reason.value)
        )

    def with_secret(self, session: Session, secret: str) -> list[UUID]:
        """The session that this secret opens, unless it has ended already; for ending it."""
        return self._ids(session, self._model.secret_hash == hash_token(secret))

    def of_sign_in(
        self, session: Session, *, issuer: str, sid: str, subject: str | None
    ) -> list[UUID]:
        """The live sessions that came from one sign-in at the provider."""
        same_person = [] if subject is None else [self._model.subject == subject]
        return self._ids(
            session, self._model.issuer == issuer, self._model.sid == sid, *same_person
        )

    def of_person(self, session: Session, *, issuer: str, subject: str) -> list[UUID]:
        """The live sessions of a person."""
        return self._ids(session, self._model.issuer == issuer, self._model.subject == subject)

    def sweep(self, session: Session, *, now: datetime) -> None:
        """Remove a batch of what has been over for a day."""
        over = now - timedelta(days=1)
        session.execute(
            delete(self._model).where(
                self._model.id.in_(
                    select(self._model.id)
                    .where(self._model.expires_at < over)
                    .limit(_SWEPT_AT_ONCE)
                )
            )
        )

    def _ids(self, session: Session, *conditions: ColumnElement[bool]) -> list[UUID]:
        return list(
            session.scalars(
                select(self._model.id).where(*conditions, self._model.ended_at.is_(None))
            )
        )

    def _is_alive(self, now: datetime) -> tuple[Any, ...]:
        model = self._model
        return (
            model.ended_at.is_(None),
            model.expires_at > now,
            model.last_seen_at > now - self._idle,
        )

    def _saw(self, session_id: UUID, now: datetime) -> None:
        with self._db.transaction() as session:
            session.execute(
                update(self._model)
                .where(self._model.id == session_id, self._model.last_seen_at < now)
                .values(last_seen_at=now)
            )


def _context(session_id: UUID) -> str:
    return f"id token:{session_id}"
