"""Remembering what was asked of the provider until it answers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from kernel.crypto import Vault, hash_token, new_token
from relying_party.contexts.context import PERSON, Context
from relying_party.errors import AttemptUnknown
from relying_party.sign_in.models import SignInAttemptMixin

# As long as a flow at the identity program lasts, and a little to come back.
LIFE = timedelta(minutes=20)
_SWEPT_AT_ONCE = 200


@dataclass(frozen=True)
class Wish:
    """What a page needs of the sign-in that it asks for."""

    return_to: str = "/"
    acr_values: tuple[str, ...] = ()
    max_age: int | None = None
    context: Context = PERSON


@dataclass(frozen=True)
class Attempt:
    """One sign-in under way."""

    state: str
    nonce: str
    code_verifier: str
    wish: Wish


class Attempts:
    """The sign-ins under way of one application."""

    def __init__(self, model: type[SignInAttemptMixin], *, vault: Vault) -> None:
        self._model = model
        self._vault = vault

    def begin(self, session: Session, wish: Wish, *, browser_hash: bytes, now: datetime) -> Attempt:
        """A new attempt of this browser."""
        attempt = Attempt(
            state=new_token(), nonce=new_token(), code_verifier=new_token(384), wish=wish
        )
        state_hash = hash_token(attempt.state)
        session.execute(
            insert(self._model).values(
                state_hash=state_hash,
                browser_hash=browser_hash,
                nonce=attempt.nonce,
                code_verifier=self._vault.seal(
                    attempt.code_verifier.encode(), context=_context(state_hash)
                ),
                return_to=wish.return_to,
                context=str(wish.context) or None,
                acr_values=list(wish.acr_values),
                max_age=wish.max_age,
                created_at=now,
                expires_at=now + LIFE,
            )
        )
        return attempt

    def spend(self, session: Session, state: str, *, browser_hash: bytes, now: datetime) -> Attempt:
        """The attempt that this answer belongs to, once; raises AttemptUnknown.

        Commit before doing anything with it: whatever comes of it, the same `state` is no good
        again.
        """
        model, state_hash = self._model, hash_token(state)
        spent = session.execute(
            update(model)
            .where(
                model.state_hash == state_hash,
                model.browser_hash == browser_hash,
                model.spent_at.is_(None),
                model.expires_at > now,
            )
            .values(spent_at=now)
        )
        if spent.rowcount != 1:  # type: ignore[attr-defined]
            raise AttemptUnknown("no attempt of this browser waits for this state")
        row = session.execute(
            select(
                model.nonce,
                model.code_verifier,
                model.return_to,
                model.context,
                model.acr_values,
                model.max_age,
            ).where(model.state_hash == state_hash)
        ).one()
        verifier = self._vault.open(row.code_verifier, context=_context(state_hash)).decode()
        return Attempt(
            state=state,
            nonce=row.nonce,
            code_verifier=verifier,
            wish=Wish(
                row.return_to,
                tuple(row.acr_values),
                row.max_age,
                Context.read(row.context or ""),
            ),
        )

    def sweep(self, session: Session, *, now: datetime) -> None:
        """Remove a batch of those that nobody will come back to."""
        model = self._model
        session.execute(
            delete(model).where(
                model.state_hash.in_(
                    select(model.state_hash).where(model.expires_at < now).limit(_SWEPT_AT_ONCE)
                )
            )
        )


def _context(state_hash: bytes) -> str:
    return f"code verifier:{state_hash.hex()}"
