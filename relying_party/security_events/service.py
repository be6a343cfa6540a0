"""Acting on security events: the next request of whom they concern asks the provider before it answers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from kernel.database import Database
from kernel.observability.logs import get_logger
from relying_party.client import Client
from relying_party.grants.service import Grants
from relying_party.provider.published import Provider
from relying_party.revocations.service import Replayed, RevocationEvent, Revocations
from relying_party.security_events import event_token
from relying_party.security_events.event_token import Event, EventToken, Heartbeat
from relying_party.security_events.feed import Feed
from relying_party.sessions.service import EndReason, Sessions

log = get_logger(__name__)


class SecurityEvents:
    """The security events of one application."""

    def __init__(
        self,
        db: Database,
        client: Client,
        *,
        provider: Provider,
        sessions: Sessions,
        grants: Grants,
        revocations: Revocations,
        feed: Feed,
    ) -> None:
        self._db = db
        self._client = client
        self._provider = provider
        self._sessions = sessions
        self._grants = grants
        self._revocations = revocations
        self._feed = feed

    def receive(self, token: str, *, now: datetime) -> None:
        """Act on a security event token. The same one again changes nothing, and is no error.

        Raises EventRefused, or IdentityUnreachable when there are no keys to check it with: then
        the provider has to try again.
        """
        checked = event_token.check(
            token,
            issuer=self._provider.issuer,
            client_id=self._client.client_id,
            algorithm=self._provider.algorithm,
            find_key=lambda kid: self._provider.key(kid, now),
            now=now,
        )
        try:
            with self._db.transaction() as session:
                self._act(session, checked, now)
        except Replayed:
            log.info("security_event_again")

    def _act(self, session: Session, token: EventToken, now: datetime) -> None:
        self._revocations.see(
            session,
            issuer=self._provider.issuer,
            jti=token.jti,
            expires_at=token.replayable_until,
        )
        match token.content:
            case Heartbeat(waiting):
                self._feed.hear(session, is_whole=waiting == 0, now=now)
            case Event() as event:
                self._carry_out(session, event, now)
            case None:
                log.info("security_event_unknown")

    def _carry_out(self, session: Session, event: Event, now: datetime) -> None:
        is_newest = self._revocations.add_newest(
            session,
            event=event.what,
            issuer=self._provider.issuer,
            subject=event.subject,
            account=event.account,
            version=event.version,
            revoked_at=event.happened_at,
            now=now,
        )
        concerned = self._concerned(session, event) if is_newest else []
        if event.what is RevocationEvent.ACCOUNT_DISABLED:
            reason = EndReason.LOGGED_OUT_BY_PROVIDER
            self._sessions.end(session, concerned, reason=reason, now=now)
            self._grants.forget(session, concerned)
        else:
            self._sessions.doubt(session, concerned, now=now)
            self._grants.doubt(session, concerned)
        log.info(
            "security_event",
            security_event=event.what.value,
            sessions=len(concerned),
            outdated=not is_newest,
        )

    def _concerned(self, session: Session, event: Event) -> list[UUID]:
        if event.subject is not None:
            return self._sessions.of_person(
                session, issuer=self._provider.issuer, subject=event.subject
            )
        return self._grants.sessions_in(session, event.account or "")
