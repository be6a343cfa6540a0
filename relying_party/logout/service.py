"""Ending sessions: because the person wants it, or because the provider says so."""

from dataclasses import dataclass
from datetime import datetime

from authlib.common.urls import add_params_to_uri

from kernel.database import Database
from kernel.observability.logs import get_logger
from relying_party.client import Client
from relying_party.errors import IdentityUnreachable, LogoutRefused, TokenInvalid
from relying_party.grants.service import Grants
from relying_party.logout import logout_token
from relying_party.logout.logout_token import LogoutToken
from relying_party.provider.published import Provider
from relying_party.revocations.service import Replayed, RevocationEvent, Revocations
from relying_party.sessions.service import EndReason, Sessions, SignedIn

log = get_logger(__name__)


@dataclass(frozen=True)
class SignedOut:
    """The session here is over. `provider_url` ends the one at the provider; None: can't be told."""

    provider_url: str | None


class Logout:
    """Sign-out of one application."""

    def __init__(
        self,
        db: Database,
        client: Client,
        *,
        provider: Provider,
        sessions: Sessions,
        grants: Grants,
        revocations: Revocations,
    ) -> None:
        self._db = db
        self._client = client
        self._provider = provider
        self._sessions = sessions
        self._grants = grants
        self._revocations = revocations

    def who_asks(self, secret: str | None, *, now: datetime) -> SignedIn | None:
        """Who would be signed out. The provider is not asked: leaving must always be possible."""
        return self._sessions.current(secret, now=now)

    def sign_out(self, person: SignedIn, *, now: datetime) -> SignedOut:
        """End the person's session here, and say where it ends at the provider."""
        id_token = self._sessions.id_token(person.session_id)
        with self._db.transaction() as session:
            self._sessions.end(session, [person.session_id], reason=EndReason.SIGNED_OUT, now=now)
            self._grants.forget(session, [person.session_id])
        try:
            endpoint = self._provider.metadata(now).end_session_endpoint
        except IdentityUnreachable:
            endpoint = None
        if endpoint is None:
            return SignedOut(provider_url=None)
        return SignedOut(
            provider_url=add_params_to_uri(
                endpoint,
                [
                    ("id_token_hint", id_token),
                    ("client_id", self._client.client_id),
                    ("post_logout_redirect_uri", self._client.signed_out_uri),
                ],
            )
        )

    def receive(self, token: str, *, now: datetime) -> int:
        """Carry out a logout token; returns how many sessions ended.

        Raises LogoutRefused, or IdentityUnreachable when there are no keys to check it with: then
        the provider has to try again.

        The token is remembered before anything ends, so that it can't be used a second time
        against a session that began later.
        """
        checked = self._check(token, now)
        try:
            with self._db.transaction() as session:
                self._revocations.see(
                    session,
                    issuer=self._provider.issuer,
                    jti=checked.jti,
                    expires_at=checked.expires_at,
                )
                self._revocations.add(
                    session,
                    event=RevocationEvent.BACKCHANNEL_LOGOUT,
                    issuer=self._provider.issuer,
                    subject=checked.subject,
                    sid=checked.sid,
                    revoked_at=checked.issued_at,
                    now=now,
                )
                if checked.sid is not None:
                    ended = self._sessions.of_sign_in(
                        session,
                        issuer=self._provider.issuer,
                        sid=checked.sid,
                        subject=checked.subject,
                    )
                else:
                    ended = self._sessions.of_person(
                        session, issuer=self._provider.issuer, subject=checked.subject or ""
                    )
                self._sessions.end(session, ended, reason=EndReason.LOGGED_OUT_BY_PROVIDER, now=now)
                self._grants.forget(session, ended)
        except Replayed as known:
            raise LogoutRefused("this logout token was here before") from known
        log.info("backchannel_logout", sessions=len(ended))
        return len(ended)

    def _check(self, token: str, now: datetime) -> LogoutToken:
        try:
            return logout_token.check(
                token,
                issuer=self._provider.issuer,
                client_id=self._client.client_id,
                algorithm=self._provider.algorithm,
                find_key=lambda kid: self._provider.key(kid, now),
                now=now,
            )
        except TokenInvalid as refusal:
            raise LogoutRefused(refusal.detail) from refusal
