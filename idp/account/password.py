"""Changing the password: with the current one, and with the second factor of who has one."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from idp.account.facts import note, tell
from idp.credentials import mailed_link, password, totp
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


def needs_code(me: SignedIn) -> bool:
    """Whether the authenticator app is asked as well."""
    with db.reading() as session:
        return totp.is_enrolled(session, person_id=me.person_id)


def change(
    me: SignedIn, *, current: str, new: str, code: str, browser: Browser, now: datetime
) -> WrongProof | Problem | Throttled | None:
    """Set a new password and end everything else that was signed in; None when it is done.

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
