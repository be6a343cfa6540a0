"""Sending a browser to the provider, and making a session of what it brings back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from sqlalchemy.orm import Session

from kernel.database import Database
from kernel.outgoing import Outgoing
from relying_party.client import Client
from relying_party.contexts.context import PERSON
from relying_party.errors import SignInDeclined, SignInFailed, TokenInvalid, TokenRefused
from relying_party.grants.service import Grants
from relying_party.provider import userinfo
from relying_party.provider.published import Provider
from relying_party.provider.token_endpoint import TokenEndpoint, Tokens
from relying_party.provider.userinfo import Userinfo
from relying_party.revocations.service import Revocations
from relying_party.sessions.service import EndReason, NewSession, Sessions, SignedIn
from relying_party.sign_in import answer, id_token
from relying_party.sign_in.answer import Answer
from relying_party.sign_in.attempts import Attempt, Attempts, Wish
from relying_party.sign_in.id_token import IdToken

_SWEPT_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Entry:
    """A person has just come in. Who it is: (issuer, subject)."""

    issuer: str
    subject: str
    at: datetime


@dataclass(frozen=True)
class SignedInBrowser:
    """What the view needs: the cookie's secret, and where to go on."""

    secret: str
    return_to: str


# Called in the transaction that makes the session, so that what an application keeps of a person
# is there from the first page on.
OnEntry = Callable[[Session, Entry], None]


class SignIn:
    """Sign-in for one application."""

    def __init__(
        self,
        db: Database,
        client: Client,
        *,
        attempts: Attempts,
        provider: Provider,
        token_endpoint: TokenEndpoint,
        outgoing: Outgoing,
        sessions: Sessions,
        grants: Grants,
        revocations: Revocations,
        on_entry: OnEntry | None = None,
    ) -> None:
        self._db = db
        self._client = client
        self._attempts = attempts
        self._provider = provider
        self._token_endpoint = token_endpoint
        self._outgoing = outgoing
        self._sessions = sessions
        self._grants = grants
        self._revocations = revocations
        self._on_entry = on_entry
        self._swept_at: datetime | None = None

    def who_was_here(self, secret: str | None, *, now: datetime) -> SignedIn | None:
        """The person of the session that the browser has already, as it is known here."""
        return self._sessions.current(secret, now=now)

    def begin(
        self, wish: Wish, *, browser_hash: bytes, language: str | None = None, now: datetime
    ) -> str:
        """Where to send the browser; raises IdentityUnreachable."""
        endpoint = self._provider.metadata(now).authorization_endpoint
        self._sweep(now)
        with self._db.transaction() as session:
            attempt = self._attempts.begin(session, wish, browser_hash=browser_hash, now=now)
        url: str = prepare_grant_uri(
            endpoint,
            client_id=self._client.client_id,
            response_type="code",
            redirect_uri=self._client.redirect_uri,
            scope=self._client.scope,
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.code_verifier),
            code_challenge_method="S256",
            resource=list(self._client.audiences),
            acr_values=" ".join(wish.acr_values) or None,
            max_age=None if wish.max_age is None else str(wish.max_age),
            ui_locales=language,
            account=wish.context.account,
            company=wish.context.company,
        )
        return url

    def finish(
        self,
        given: Answer,
        *,
        browser_hash: bytes,
        previous_secret: str | None = None,
        now: datetime,
    ) -> SignedInBrowser:
        """Make a session of the provider's answer.

        Raises SignInFailed (or one of its kinds) when the answer signs nobody in, and
        IdentityUnreachable when the provider can't be asked.
        """
        metadata = self._provider.metadata(now)
        with self._db.transaction() as session:
            attempt = self._attempts.spend(session, given.state, browser_hash=browser_hash, now=now)
        refusal = answer.why_refuse(given, metadata)
        if refusal:
            raise SignInFailed(refusal)
        if given.error is not None:
            raise SignInDeclined(given.error, in_account=attempt.wish.context != PERSON)
        tokens, proof = self._redeem(given.code or "", attempt, now)
        person = userinfo.ask(
            self._provider, self._outgoing, access_token=tokens.access_token, now=now
        )
        if person.subject != proof.subject:
            raise SignInFailed("userinfo is about somebody else")
        if attempt.wish.context not in (PERSON, person.context):
            raise SignInFailed("another account than was asked for")
        secret = self._enter(
            tokens, proof, person, wish=attempt.wish, previous_secret=previous_secret, now=now
        )
        return SignedInBrowser(secret, attempt.wish.return_to)

    def _redeem(self, code: str, attempt: Attempt, now: datetime) -> tuple[Tokens, IdToken]:
        try:
            tokens = self._token_endpoint.redeem_code(
                code,
                redirect_uri=self._client.redirect_uri,
                code_verifier=attempt.code_verifier,
                resource=self._client.main_audience,
                now=now,
            )
            if tokens.id_token is None:
                raise SignInFailed("no ID token")
            proof = id_token.check(
                tokens.id_token,
                id_token.Expected(
                    issuer=self._provider.issuer,
                    client_id=self._client.client_id,
                    nonce=attempt.nonce,
                    access_token=tokens.access_token,
                    algorithm=self._provider.algorithm,
                    acr_values=attempt.wish.acr_values,
                    max_age=attempt.wish.max_age,
                ),
                find_key=lambda kid: self._provider.key(kid, now),
                now=now,
            )
        except (TokenRefused, TokenInvalid) as refusal:
            raise SignInFailed(refusal.detail) from refusal
        return tokens, proof

    def _enter(
        self,
        tokens: Tokens,
        proof: IdToken,
        person: Userinfo,
        *,
        wish: Wish,
        previous_secret: str | None,
        now: datetime,
    ) -> str:
        issuer = self._provider.issuer
        # One more account is a grant beside the others; no session begins or ends with it.
        joined = (
            self._sessions.joins(
                previous_secret, issuer=issuer, subject=proof.subject, sid=proof.sid
            )
            if wish.context != PERSON
            else None
        )
        with self._db.transaction() as session:
            if self._revocations.covers(
                session,
                issuer=issuer,
                subject=proof.subject,
                sid=proof.sid,
                issued_at=proof.issued_at,
            ):
                raise SignInFailed("signed out while signing in")
            if joined is not None and previous_secret is not None:
                self._grants.keep(session, joined, tokens, person, now=now)
                self._doubt_what_changed_meanwhile(session, joined, proof, now)
                return previous_secret
            if previous_secret is not None:
                self._end_previous(session, previous_secret, now)
            session_id, secret = self._sessions.start(
                session,
                NewSession(
                    issuer=issuer,
                    subject=proof.subject,
                    sid=proof.sid,
                    id_token=tokens.id_token or "",
                    email=person.email,
                    name=person.name,
                    locale=person.locale,
                    zoneinfo=person.zoneinfo,
                    acr=proof.acr,
                    amr=proof.amr,
                    auth_time=proof.auth_time or proof.issued_at,
                    vouched_until=tokens.expires_at,
                ),
                now=now,
            )
            self._grants.keep(session, session_id, tokens, person, now=now)
            self._doubt_what_changed_meanwhile(session, session_id, proof, now)
            if self._on_entry is not None:
                self._on_entry(session, Entry(issuer, proof.subject, now))
        return secret

    def _doubt_what_changed_meanwhile(
        self, session: Session, session_id: UUID, proof: IdToken, now: datetime
    ) -> None:
        """An event may have overtaken the sign-in; then what came with this one is asked for again."""
        if self._revocations.makes_doubtful(
            session,
            issuer=self._provider.issuer,
            subject=proof.subject,
            issued_at=proof.issued_at,
        ):
            self._sessions.doubt(session, [session_id], now=now)
            self._grants.doubt(session, [session_id])

    def _end_previous(self, session: Session, secret: str, now: datetime) -> None:
        """Whoever was signed in with this browser before is no longer."""
        previous = self._sessions.with_secret(session, secret)
        self._sessions.end(session, previous, reason=EndReason.SIGNED_IN_AGAIN, now=now)
        self._grants.forget(session, previous)

    def _sweep(self, now: datetime) -> None:
        """Now and then, clear away what is over; nothing depends on it."""
        if self._swept_at is not None and now - self._swept_at < _SWEPT_EVERY:
            return
        self._swept_at = now
        with self._db.transaction() as session:
            self._attempts.sweep(session, now=now)
            self._sessions.sweep(session, now=now)
            self._revocations.sweep(session, now=now)
