"""Access tokens for whoever needs one, renewed by exactly one at a time.

The database decides who renews: over threads, processes and machines. The others wait and take
what that one brought. A refresh token is used up by a renewal, so two renewals at once would look
like theft to the provider, and end the session.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from kernel import clock
from kernel.crypto import Vault
from kernel.database import Database
from kernel.ids import new_id
from kernel.observability.logs import get_logger
from relying_party.contexts.context import PERSON, Context
from relying_party.contexts.current import Facts
from relying_party.errors import (
    AccessTokenOver,
    ContextOver,
    IdentityUnreachable,
    NoGrant,
    SessionOver,
    TokenRefused,
)
from relying_party.grants.models import AccessTokenMixin, GrantMixin
from relying_party.provider.token_endpoint import TokenEndpoint, Tokens
from relying_party.provider.userinfo import Userinfo
from relying_party.sessions.service import EndReason, Sessions

log = get_logger(__name__)

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
# How often in a row the provider may change its mind while it is being asked.
_DOUBTS = 5


# Asks the provider whom an access token stands for, and what they may do in its context.
AskUserinfo = Callable[[str, datetime], Userinfo]


@dataclass(frozen=True)
class _State:
    grant_id: UUID
    refresh_token: bytes | None
    generation: int
    leased_until: datetime | None
    failed_at: datetime | None
    facts: dict[str, Any] | None
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
        ask_userinfo: AskUserinfo,
        main_audience: str,
        vault: Vault,
        now: Callable[[], datetime] = clock.now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._db = db
        self._grant = grant
        self._access_token = access_token
        self._sessions = sessions
        self._token_endpoint = token_endpoint
        self._ask_userinfo = ask_userinfo
        self._main_audience = main_audience
        self._vault = vault
        # Waiting for somebody else's renewal needs a clock that goes on.
        self._now = now
        self._sleep = sleep

    def keep(
        self, session: Session, session_id: UUID, tokens: Tokens, person: Userinfo, *, now: datetime
    ) -> None:
        """Store what a sign-in brought, as the session's grant for the context that it is for."""
        grant, grant_id = self._grant, new_id()
        session.execute(
            delete(grant).where(
                grant.session_id == session_id, grant.context == str(person.context)
            )
        )
        session.execute(
            insert(grant).values(
                id=grant_id,
                session_id=session_id,
                context=str(person.context),
                refresh_token=self._sealed_refresh_token(grant_id, tokens.refresh_token),
                generation=0,
                facts=_as_json(person.facts),
                created_at=now,
            )
        )
        self._put_access_token(session, grant_id, self._main_audience, tokens)

    def contexts(self, session_id: UUID) -> list[Context]:
        """The contexts that the session has grants for, the newest first."""
        grant = self._grant
        with self._db.reading() as session:
            spelled = session.scalars(
                select(grant.context)
                .where(grant.session_id == session_id)
                .order_by(grant.created_at.desc(), grant.id.desc())
            ).all()
        return [Context.read(each) for each in spelled]

    def facts(self, session_id: UUID, context: Context) -> Facts:
        """What the person may do in this context, confirmed by the provider some minutes ago at most.

        Raises NoGrant, ContextOver, SessionOver, IdentityUnreachable.
        """
        for _ in range(_DOUBTS):
            state = self._look(session_id, self._main_audience, context)
            if state.token is not None and not _needs_renewal(state, self._now()):
                return _from_json(state.facts)
            self.access_token(session_id, audience=self._main_audience, context=context)
        raise IdentityUnreachable("what the provider confirms is in doubt again and again")

    def facts_now(self, session_id: UUID, context: Context) -> Facts:
        """The same, confirmed by the provider at this moment."""
        state = self._look(session_id, self._main_audience, context)
        if state.token is None or _needs_renewal(state, self._now()):
            return self.facts(session_id, context)
        token = self._opened(state.token, _token_context(state.grant_id, self._main_audience))
        try:
            person = self._ask_userinfo(token, self._now())
        except AccessTokenOver:
            self.discard(session_id, audience=self._main_audience, token=token, context=context)
            return self.facts(session_id, context)
        if person.context != context:
            raise self._over(session_id, state.grant_id, "userinfo names another context")
        return person.facts

    def confirm(self, session_id: UUID, *, at_once: bool = False) -> None:
        """Have the session confirmed by the provider, by whichever of its grants still stands.

        `at_once`: an answer of some minutes ago is not enough. Raises SessionOver,
        IdentityUnreachable.
        """
        contexts = self.contexts(session_id)
        for context in sorted(contexts, key=lambda each: each != PERSON):
            try:
                if at_once:
                    self.facts_now(session_id, context)
                else:
                    self.access_token(session_id, audience=self._main_audience, context=context)
            except (ContextOver, NoGrant):
                continue
            return
        raise SessionOver("no grant of the session stands any more")

    def doubt(self, session: Session, session_ids: Sequence[UUID]) -> None:
        """Drop what the provider confirmed for these sessions: before the next use it is asked again.

        Who is renewing at this moment keeps the new refresh token, and nothing that came with it.
        """
        grant, token = self._grant, self._access_token
        session.execute(
            update(grant)
            .where(grant.session_id.in_(session_ids))
            .values(generation=grant.generation + 1)
        )
        held = select(grant.id).where(grant.session_id.in_(session_ids))
        session.execute(delete(token).where(token.grant_id.in_(held)))

    def sessions_in(self, session: Session, account: str) -> list[UUID]:
        """The sessions that work in this account, or in a company of it."""
        context = self._grant.context
        is_there = (context == account) | context.startswith(f"{account}/", autoescape=True)
        return list(session.scalars(select(self._grant.session_id).where(is_there).distinct()))

    def forget(self, session: Session, session_ids: list[UUID]) -> None:
        """Drop every token of these sessions."""
        session.execute(delete(self._grant).where(self._grant.session_id.in_(session_ids)))

    def access_token(self, session_id: UUID, *, audience: str, context: Context = PERSON) -> str:
        """A token that is good for some moments at least.

        Raises SessionOver when the provider has ended the session, ContextOver when it is only this
        context that is over, NoGrant for one that nobody asked for yet, IdentityUnreachable when the
        provider does not answer.
        """
        began = self._now()
        pause = _FIRST_LOOK
        while True:
            now = self._now()
            state = self._look(session_id, audience, context)
            if state.token is not None and not _needs_renewal(state, now):
                return self._opened(state.token, _token_context(state.grant_id, audience))
            if state.failed_at is not None and (
                state.failed_at >= began or timedelta(0) <= now - state.failed_at < _PAUSE
            ):
                raise IdentityUnreachable("the session's tokens could not be renewed just now")
            free = state.leased_until is None or state.leased_until <= now
            lease = self._take_lease(state, now) if free else None
            if lease is not None:
                return self._renew(session_id, context, state, lease, audience=audience, now=now)
            if now - began > _PATIENCE:
                raise IdentityUnreachable("somebody else's renewal took too long")
            self._sleep(pause)
            pause = _LATER_LOOKS

    def discard(
        self, session_id: UUID, *, audience: str, token: str, context: Context = PERSON
    ) -> None:
        """Forget an access token that its audience refused, unless it was renewed meanwhile."""
        state = self._look(session_id, audience, context)
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

    def _look(self, session_id: UUID, audience: str, context: Context) -> _State:
        grant, token = self._grant, self._access_token
        with self._db.reading() as session:
            row = session.execute(
                select(
                    grant.id,
                    grant.refresh_token,
                    grant.generation,
                    grant.lease_until,
                    grant.failed_at,
                    grant.facts,
                    token.token,
                    token.expires_at,
                )
                .outerjoin(token, (token.grant_id == grant.id) & (token.audience == audience))
                .where(grant.session_id == session_id, grant.context == str(context))
            ).one_or_none()
        if row is None:
            raise NoGrant("the session has no grant for this context")
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
        self,
        session_id: UUID,
        context: Context,
        state: _State,
        lease: UUID,
        *,
        audience: str,
        now: datetime,
    ) -> str:
        if state.refresh_token is None:
            raise self._over(session_id, state.grant_id, "nothing to renew the grant with")
        refresh_token = self._opened(state.refresh_token, _refresh_context(state.grant_id))
        try:
            tokens = self._token_endpoint.refresh(refresh_token, resource=audience, now=now)
        except TokenRefused as refusal:
            if refusal.error == "invalid_grant":
                raise self._over(session_id, state.grant_id, "refused") from refusal
            self._give_up(state.grant_id, lease)
            raise IdentityUnreachable(refusal.detail) from refusal
        except BaseException:
            self._give_up(state.grant_id, lease)
            raise
        if audience == self._main_audience:
            self._confirm_with(tokens, session_id, context, state, lease)
        else:
            self._store(tokens, state, lease, audience)
        return tokens.access_token

    def _store(self, tokens: Tokens, state: _State, lease: UUID, audience: str) -> None:
        with self._db.transaction() as session:
            self._keep_renewed(session, tokens, state.grant_id, lease)
            if self._release_undoubted(session, state, lease):
                self._put_access_token(session, state.grant_id, audience, tokens)

    def _confirm_with(
        self, tokens: Tokens, session_id: UUID, context: Context, state: _State, lease: UUID
    ) -> None:
        """Ask what is true of the person now; only then the new token counts.

        What was renewed is kept first: the refresh token before it is good no more.
        """
        grant_id = state.grant_id
        with self._db.transaction() as session:
            self._keep_renewed(session, tokens, grant_id, lease)
        try:
            person = self._ask_userinfo(tokens.access_token, self._now())
        except BaseException:
            self._give_up(grant_id, lease)
            raise
        if person.context != context:
            raise self._over(session_id, grant_id, "userinfo names another context")
        with self._db.transaction() as session:
            if self._release_undoubted(session, state, lease, facts=_as_json(person.facts)):
                self._put_access_token(session, grant_id, self._main_audience, tokens)
                self._sessions.confirm(session, session_id, person, until=tokens.expires_at)

    def _keep_renewed(self, session: Session, tokens: Tokens, grant_id: UUID, lease: UUID) -> None:
        """Nothing for who lost the lease, being too slow: another has renewed, or all is over."""
        grant = self._grant
        renewed: dict[str, object] = {}
        if tokens.refresh_token is not None:
            renewed["refresh_token"] = self._sealed_refresh_token(grant_id, tokens.refresh_token)
        session.execute(
            update(grant)
            .where(grant.id == grant_id, grant.lease_id == lease)
            .values(generation=grant.generation + 1, **renewed)
        )

    def _release_undoubted(
        self, session: Session, state: _State, lease: UUID, **more: object
    ) -> bool:
        """Release with what was learnt, unless the provider made it doubtful meanwhile (`doubt`)."""
        grant = self._grant
        learnt = session.execute(
            update(grant)
            .where(
                grant.id == state.grant_id,
                grant.lease_id == lease,
                # One more than when the lease was taken: the renewal itself.
                grant.generation == state.generation + 1,
            )
            .values(lease_id=None, lease_until=None, **{"failed_at": None, **more})
        )
        if learnt.rowcount == 1:  # type: ignore[attr-defined]
            return True
        self._release(session, state.grant_id, lease)
        return False

    def _release(self, session: Session, grant_id: UUID, lease: UUID, **more: object) -> bool:
        grant = self._grant
        released = session.execute(
            update(grant)
            .where(grant.id == grant_id, grant.lease_id == lease)
            .values(lease_id=None, lease_until=None, **{"failed_at": None, **more})
        )
        return bool(released.rowcount)  # type: ignore[attr-defined]

    def _give_up(self, grant_id: UUID, lease: UUID) -> None:
        with self._db.transaction() as session:
            self._release(session, grant_id, lease, failed_at=self._now())

    def _over(self, session_id: UUID, grant_id: UUID, why: str) -> Exception:
        """Drop a grant that the provider ended; with the last one, the session ends too."""
        grant, now = self._grant, self._now()
        with self._db.transaction() as session:
            session.execute(delete(grant).where(grant.id == grant_id))
            is_last = (
                session.scalars(
                    select(grant.id).where(grant.session_id == session_id).limit(1)
                ).first()
                is None
            )
            if is_last:
                reason = EndReason.REFUSED_BY_PROVIDER
                self._sessions.end(session, [session_id], reason=reason, now=now)
        log.info("grant_ended", reason=why, session_ended=is_last)
        return SessionOver(why) if is_last else ContextOver(why)

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


def _as_json(facts: Facts) -> dict[str, Any]:
    return {
        "account_name": facts.account_name,
        "company_name": facts.company_name,
        "roles": list(facts.roles),
        "permissions": sorted(facts.permissions),
    }


def _from_json(stored: dict[str, Any] | None) -> Facts:
    if stored is None:
        return Facts()
    return Facts(
        stored["account_name"],
        stored["company_name"],
        tuple(stored["roles"]),
        frozenset(stored["permissions"]),
    )


def _refresh_context(grant_id: UUID) -> str:
    return f"refresh token:{grant_id}"


def _token_context(grant_id: UUID, audience: str) -> str:
    return f"access token:{grant_id}:{audience}"
