"""Writing down what was revoked, and looking it up before a session begins."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kernel.crypto import hash_token
from kernel.ids import new_id
from relying_party.revocations.models import RevocationMixin, SeenTokenMixin

# A sign-in that was revoked could come back with a code (a minute) or an ID token that we take for
# five; an hour is plenty.
_REMEMBERED = timedelta(hours=1)
_SWEPT_AT_ONCE = 200


class RevocationEvent(StrEnum):
    """What told us."""

    BACKCHANNEL_LOGOUT = "backchannel-logout"


class Replayed(Exception):
    """This token was here before."""


class Revocations:
    """What one application knows to be revoked."""

    def __init__(self, revocation: type[RevocationMixin], seen_token: type[SeenTokenMixin]) -> None:
        self._revocation = revocation
        self._seen_token = seen_token

    def see(self, session: Session, *, issuer: str, jti: str, expires_at: datetime) -> None:
        """Take note of a token; raises Replayed when it was noted before.

        The primary key decides, so that of two at once one is refused. The transaction is lost
        then and must be left.
        """
        try:
            session.execute(
                insert(self._seen_token).values(
                    jti_hash=hash_token(f"{issuer} {jti}"), expires_at=expires_at
                )
            )
        except IntegrityError as known:
            raise Replayed from known

    def add(
        self,
        session: Session,
        *,
        event: RevocationEvent,
        issuer: str,
        subject: str | None,
        sid: str | None,
        revoked_at: datetime,
        now: datetime,
    ) -> None:
        """Write down that a sign-in (`sid`) or all of a person's sign-ins so far are over."""
        session.execute(
            insert(self._revocation).values(
                id=new_id(),
                issuer=issuer,
                subject=subject,
                sid=sid,
                event=event.value,
                version=0,
                revoked_at=revoked_at,
                received_at=now,
                expires_at=now + _REMEMBERED,
            )
        )

    def covers(
        self, session: Session, *, issuer: str, subject: str, sid: str | None, issued_at: datetime
    ) -> bool:
        """Whether a sign-in that was confirmed at `issued_at` has been revoked since."""
        model = self._revocation
        whole_person = (
            model.sid.is_(None) & (model.subject == subject) & (model.revoked_at >= issued_at)
        )
        taken_back = whole_person if sid is None else whole_person | (model.sid == sid)
        found = session.scalars(
            select(model.id).where(model.issuer == issuer, taken_back).limit(1)
        ).first()
        return found is not None

    def sweep(self, session: Session, *, now: datetime) -> None:
        """Remove a batch of what no longer matters."""
        revocation, seen = self._revocation, self._seen_token
        session.execute(
            delete(revocation).where(
                revocation.id.in_(
                    select(revocation.id).where(revocation.expires_at < now).limit(_SWEPT_AT_ONCE)
                )
            )
        )
        session.execute(
            delete(seen).where(
                seen.jti_hash.in_(
                    select(seen.jti_hash)
                    # A clock that is a little behind must not forget what it would still accept.
                    .where(seen.expires_at < now - timedelta(minutes=5))
                    .limit(_SWEPT_AT_ONCE)
                )
            )
        )
