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
# The provider tries for a day to tell of an event: an older one that comes later is known by this.
_EVENTS_REMEMBERED = timedelta(hours=48)
# Between the provider's clock, which dates a sign-in, and ours, which dates what we heard.
_SKEW = timedelta(seconds=10)
_SWEPT_AT_ONCE = 200


class RevocationEvent(StrEnum):
    """What told us."""

    BACKCHANNEL_LOGOUT = "backchannel-logout"
    ACCOUNT_DISABLED = "account-disabled"
    ACCOUNT_ENABLED = "account-enabled"
    SESSION_REVOKED = "session-revoked"
    CONTEXT_CHANGED = "context-changed"


_ENDS_SIGN_INS = (RevocationEvent.BACKCHANNEL_LOGOUT, RevocationEvent.ACCOUNT_DISABLED)
# Of each family the newest event holds: an older one that comes later has no effect any more.
_FAMILIES = (
    (RevocationEvent.ACCOUNT_DISABLED, RevocationEvent.ACCOUNT_ENABLED),
    (RevocationEvent.SESSION_REVOKED, RevocationEvent.CONTEXT_CHANGED),
)


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

    def add_newest(
        self,
        session: Session,
        *,
        event: RevocationEvent,
        issuer: str,
        subject: str | None,
        account: str | None,
        version: int,
        revoked_at: datetime,
        now: datetime,
    ) -> bool:
        """Write down an event that may come out of order; False when a newer one was here before."""
        model = self._revocation
        family = next(each for each in _FAMILIES if event in each)
        newer = session.scalars(
            select(model.id)
            .where(
                model.issuer == issuer,
                model.subject == subject if subject is not None else model.subject.is_(None),
                model.account == account if account is not None else model.account.is_(None),
                model.event.in_([each.value for each in family]),
                model.version > version,
            )
            .limit(1)
        ).first()
        if newer is not None:
            return False
        session.execute(
            insert(model).values(
                id=new_id(),
                issuer=issuer,
                subject=subject,
                account=account,
                sid=None,
                event=event.value,
                version=version,
                revoked_at=revoked_at,
                received_at=now,
                expires_at=now + _EVENTS_REMEMBERED,
            )
        )
        return True

    def makes_doubtful(
        self, session: Session, *, issuer: str, subject: str, issued_at: datetime
    ) -> bool:
        """Whether something changed for the person, perhaps, since the provider said `issued_at`."""
        model = self._revocation
        found = session.scalars(
            select(model.id)
            .where(
                model.issuer == issuer,
                (model.subject == subject) | model.subject.is_(None),
                model.event.not_in([each.value for each in _ENDS_SIGN_INS]),
                model.received_at >= issued_at - _SKEW,
            )
            .limit(1)
        ).first()
        return found is not None

    def covers(
        self, session: Session, *, issuer: str, subject: str, sid: str | None, issued_at: datetime
    ) -> bool:
        """Whether a sign-in that was confirmed at `issued_at` has been revoked since."""
        model = self._revocation
        whole_person = (
            model.sid.is_(None)
            & (model.subject == subject)
            & (model.revoked_at >= issued_at)
            & model.event.in_([each.value for each in _ENDS_SIGN_INS])
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
