"""Changing the password: with the current one, and with the second factor of who has one.

Who signs in with a passkey alone sets a first password here.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from idp.account.facts import note, tell
from idp.credentials import mailed_link, passkeys, password, totp
from idp.credentials.hashing import hashing
from idp.credentials.new_password import why_refuse
from idp.credentials.password import Problem
from idp.events import IdpEvent
from idp.logout import end_sessions
from idp.sessions import devices
from idp.sessions import service as sessions
from idp.sessions.browser import Browser
from idp.sessions.service import SignedIn
from idp.sign_in import throttle
from idp.sign_in.outcomes import Throttled
from kernel.limits import Refusal
from tenants.database import db
from tenants.people import service as people
from tenants.people.address import canonical_email


class WrongProof(StrEnum):
    """Which of the proofs was not right. The person is signed in, so they may know."""

    PASSWORD = "password"  # noqa: S105
    CODE = "code"


@dataclass(frozen=True)
class Proofs:
    """What a change of the password takes."""

    password: bool
    """The current one; who signs in with a passkey alone may have none."""
    code: bool
    fresh: bool
    """A passkey can't be typed in, so who has nothing else has to have signed in just now."""


def proofs(me: SignedIn) -> Proofs:
    """What this person is asked for."""
    with db.reading() as session:
        has_password = password.stored_hash(session, person_id=me.person_id) is not None
        has_app = totp.is_enrolled(session, person_id=me.person_id)
        has_passkey = passkeys.is_enrolled(session, person_id=me.person_id)
    return Proofs(
        password=has_password,
        code=has_app and has_password,
        fresh=not has_password or (has_passkey and not has_app),
    )


def change(
    me: SignedIn, *, current: str, new: str, code: str, browser: Browser, now: datetime
) -> WrongProof | Problem | Throttled | None:
    """Set a new password and end everything else that was signed in; None when it is done.

    Who has none yet sets a first one. That they signed in just now is for the page to see to
    (`proofs`).

    Tries count as those of a second factor: who sits at an open session must not guess either.
    """
    with db.reading() as session:
        person = people.find(session, me.person_id)
    names = [person.given_name or "", person.family_name or ""] if person is not None else []
    # First, because it proves nothing and so is no try.
    problem = why_refuse(new, context=[me.email, *names])
    if problem is not None:
        return problem
    with db.transaction() as session:
        taken = throttle.take(session, _tries(me), now=now)
        stored = password.stored_hash(session, person_id=me.person_id)
    if isinstance(taken, Refusal):
        return Throttled.by(taken, now)
    if stored is None:
        return _set_first(me, new, browser, now)
    if not password.is_measurable(current) or not hashing().verify(stored, current).matches:
        return WrongProof.PASSWORD
    hash_ = hashing().hash(password.normalised(new))
    with db.transaction() as session:
        if totp.is_enrolled(session, person_id=me.person_id) and not totp.accept(
            session, person_id=me.person_id, text=code, now=now
        ):
            return WrongProof.CODE
        if not password.exchange(session, person_id=me.person_id, old=stored, new=hash_, now=now):
            return WrongProof.PASSWORD
        _after_change(session, me, browser, now)
    return None


def _set_first(me: SignedIn, new: str, browser: Browser, now: datetime) -> WrongProof | None:
    hash_ = hashing().hash(password.normalised(new))
    with db.transaction() as session:
        if not password.store_first(session, person_id=me.person_id, hash_=hash_, now=now):
            return WrongProof.PASSWORD
        _after_change(session, me, browser, now)
    return None


def renew_session(me: SignedIn, *, now: datetime) -> str | None:
    """A new secret for this browser's session: whoever copied the old one is out."""
    with db.transaction() as session:
        return sessions.renew_secret(session, me.session_id, now=now)


def _after_change(session: Session, me: SignedIn, browser: Browser, now: datetime) -> None:
    throttle.forget_codes(session, person_id=me.person_id, device_id=me.device_id)
    mailed_link.void_all(session, email_key=canonical_email(me.email).key, now=now)
    devices.forget(session, person_id=me.person_id, now=now)
    ended = end_sessions(
        session,
        person_id=me.person_id,
        except_session_id=me.session_id,
        reason="password-changed",
        now=now,
    )
    note(
        session,
        IdpEvent.PASSWORD_CHANGED,
        by=me,
        details={"sessions_ended": len(ended)},
        browser=browser,
        now=now,
    )
    tell(session, "password_changed", to=me, browser=browser, now=now)


def _tries(me: SignedIn) -> throttle.Tries:
    return throttle.code_tries(person_id=me.person_id, device_id=me.device_id)
