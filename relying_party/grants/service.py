"""Access tokens for whoever needs one, renewed by exactly one at a time.

The database decides who renews: over threads, processes and machines. The others wait and take
what that one brought. A refresh token is used up by a renewal, so two renewals at once would look
like theft to the provider, and end the session.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from kernel import clock
from kernel.crypto import Vault
from kernel.database import Database
from kernel.ids import new_id
from kernel.observability.logs import get_logger
from relying_party.errors import IdentityUnreachable, SessionOver, TokenRefused
from relying_party.grants.models import AccessTokenMixin, GrantMixin
from relying_party.provider.token_endpoint import TokenEndpoint, Tokens
from relying_party.sessions.service import EndReason, Sessions

log = get_logger(__name__)

PERSON = ""
"""The context of the person alone, without account or company."""

# Longer than the token endpoint may take (5 s), shorter than the ten seconds in which the provider
# answers a repeated renewal alike: if the one who renews dies, the next one still gets through.
_LEASE = timedelta(seconds=8)
_PATIENCE = timedelta(seconds=12)
_FIRST_LOOK = 0.02
_LATER_LOOKS = 0.1
# After a failure nobody asks again at once: a silent provider is not helped by many questions.
_PAUSE = timedelta(seconds=1)
# A token is renewed a little before its end, so that it survives the way to where it is used.
_MARGIN = timedelta(seconds=10)


@dataclass(frozen=True)
class _State:
    grant_id: UUID
    refresh_token: bytes | None
    generation: int
    leased_until: datetime | None
    failed_at: datetime | None
    token: bytes | None
    expires_at: datetime | None


class Grants:
    """The grants of one application's sessions."""

    def __init__(
        self,
        db: Database,
        grant: type[GrantMixin],
        access_token: type[AccessTokenMixin],
        *,
        sessions: Sessions,
        token_endpoint: TokenEndpoint,
        vault: Vault,
        now: Callable[[], datetime] = clock.now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._db = db
        self._grant = grant
        self._access_token = access_token
        self._sessions = sessions
        self._token_endpoint = token_endpoint
        self._vault = vault
        # Waiting for somebody else's renewal needs a clock that goes on.
        self._now = now
        self._sleep = sleep

    def keep(
        self, session: Session, session_id: UUID, tokens: Tokens, *, audience: str, now: datetime
    ) -> None:
        """Store what a sign-in brought, as the session's grant for the person alone."""
        grant_id = new_id()
        session.execute(
            insert(self._grant).values(
                id=grant_id,
                session_id=session_id,
                context=PERSON,
                refresh_token=self._sealed_refresh_token(grant_id, tokens.refresh_token),
                generation=0,
                created_at=now,
            )
        )
        self._put_access_token(session, grant_id, audience, tokens)

    def forget(self, session: Session, session_ids: list[UUID]) -> None:
        """Drop every token of these sessions."""
        session.execute(delete(self._grant).where(self._grant.session_id.in_(session_ids)))

    def access_token(self, session_id: UUID, *, audience: str) -> str:
        """A token that is good for some moments at least.

        Raises SessionOver when the provider has ended the session, IdentityUnreachable when it
        does not answer.
        """
        began = self._now()
        pause = _FIRST_LOOK
        while True:
            now = self._now()
            state = self._look(session_id, audience)
            if state.token is not None and not _needs_renewal(state, now):
                return self._opened(state.token, _token_context(state.grant_id, audience))
            if state.failed_at is not None and (
                state.failed_at >= began or timedelta(0) <= now - state.failed_at < _PAUSE
            ):
                raise IdentityUnreachable("the session's tokens could not be renewed just now")
            free = state.leased_until is None or state.leased_until <= now
            lease = self._take_lease(state, now) if free else None
            if lease is not None:
                return self._renew(session_id, state, lease, audience=audience, now=now)
            if now - began > _PATIENCE:
                raise IdentityUnreachable("somebody else's renewal took too long")
            self._sleep(pause)
            pause = _LATER_LOOKS

    def discard(self, session_id: UUID, *, audience: str, token: str) -> None:
        """Forget an access token that its audience refused, unless it was renewed meanwhile."""
        state = self._look(session_id, audience)
        if state.token is None:
            return
        if self._opened(state.token, _token_context(state.grant_id, audience)) != token:
            return
        with self._db.transaction() as session:
            session.execute(
                delete(self._access_token).where(
                    self._access_token.grant_id == state.grant_id,
                    self._access_token.audience == audience,
                    self._access_token.token == state.token,
                )
            )

    def _look(self, session_id: UUID, audience: str) -> _State:
        grant, token = self._grant, self._access_token
        with self._db.reading() as session:
            row = session.execute(
                select(
                    grant.id,
                    grant.refresh_token,
                    grant.generation,
                    grant.lease_until,
                    grant.failed_at,
                    token.token,
                    token.expires_at,
                )
                .outerjoin(token, (token.grant_id == grant.id) & (token.audience == audience))
                .where(grant.session_id == session_id, grant.context == PERSON)
            ).one_or_none()
        if row is None:
            raise SessionOver("the session has no grant")
        return _State(*row)

    def _take_lease(self, state: _State, now: datetime) -> UUID | None:
        """Become the one who renews, unless somebody else is, or has just done it."""
        lease, grant = new_id(), self._grant
        with self._db.transaction() as session:
            taken = session.execute(
                update(grant)
                .where(
                    grant.id == state.grant_id,
                    grant.generation == state.generation,
                    grant.lease_until.is_(None) | (grant.lease_until <= now),
                )
                .values(lease_id=lease, lease_until=now + _LEASE)
            )
        return lease if taken.rowcount == 1 else None  # type: ignore[attr-defined]

    def _renew(
        self, session_id: UUID, state: _State, lease: UUID, *, audience: str, now: datetime
    ) -> str:
        if state.refresh_token is None:
            self._end(session_id, now)
            raise SessionOver("the provider gave nothing to renew the session with")
        refresh_token = self._opened(state.refresh_token, _refresh_context(state.grant_id))
        try:
            tokens = self._token_endpoint.refresh(refresh_token, resource=audience, now=now)
        except TokenRefused as refusal:
            if refusal.error == "invalid_grant":
                self._end(session_id, self._now())
                raise SessionOver("the provider has ended the session") from refusal
            self._give_up(state.grant_id, lease)
            raise IdentityUnreachable(refusal.detail) from refusal
        except BaseException:
            self._give_up(state.grant_id, lease)
            raise
        self._store(session_id, state.grant_id, lease, tokens, audience=audience)
        return tokens.access_token

    def _store(
        self, session_id: UUID, grant_id: UUID, lease: UUID, tokens: Tokens, *, audience: str
    ) -> None:
        grant = self._grant
        renewed: dict[str, object] = {"lease_id": None, "lease_until": None, "failed_at": None}
        if tokens.refresh_token is not None:
            renewed["refresh_token"] = self._sealed_refresh_token(grant_id, tokens.refresh_token)
        with self._db.transaction() as session:
            stored = session.execute(
                update(grant)
                .where(grant.id == grant_id, grant.lease_id == lease)
                .values(generation=grant.generation + 1, **renewed)
            )
            # Who lost the lease was too slow: another has renewed, or the session is over.
            if stored.rowcount == 1:  # type: ignore[attr-defined]
                self._put_access_token(session, grant_id, audience, tokens)
                self._sessions.vouch(session, session_id, until=tokens.expires_at)

    def _give_up(self, grant_id: UUID, lease: UUID) -> None:
        with self._db.transaction() as session:
            session.execute(
                update(self._grant)
                .where(self._grant.id == grant_id, self._grant.lease_id == lease)
                .values(lease_id=None, lease_until=None, failed_at=self._now())
            )

    def _end(self, session_id: UUID, now: datetime) -> None:
        log.info("session_ended", reason=EndReason.REFUSED_BY_PROVIDER.value)
        with self._db.transaction() as session:
            self._sessions.end(session, [session_id], reason=EndReason.REFUSED_BY_PROVIDER, now=now)
            self.forget(session, [session_id])

    def _put_access_token(
        self, session: Session, grant_id: UUID, audience: str, tokens: Tokens
    ) -> None:
        model = self._access_token
        session.execute(delete(model).where(model.grant_id == grant_id, model.audience == audience))
        session.execute(
            insert(model).values(
                id=new_id(),
                grant_id=grant_id,
                audience=audience,
                token=self._vault.seal(
                    tokens.access_token.encode(), context=_token_context(grant_id, audience)
                ),
                expires_at=tokens.expires_at,
            )
        )

    def _sealed_refresh_token(self, grant_id: UUID, refresh_token: str | None) -> bytes | None:
        if refresh_token is None:
            return None
        return self._vault.seal(refresh_token.encode(), context=_refresh_context(grant_id))

    def _opened(self, sealed: bytes, context: str) -> str:
        return self._vault.open(sealed, context=context).decode()


def _needs_renewal(state: _State, now: datetime) -> bool:
    return state.expires_at is None or state.expires_at - _MARGIN <= now


def _refresh_context(grant_id: UUID) -> str:
    return f"refresh token:{grant_id}"


def _token_context(grant_id: UUID, audience: str) -> str:
    return f"access token:{grant_id}:{audience}"
