"""Adding and removing an authenticator app, and the sheet of recovery codes that comes with it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.account.facts import note, tell
from idp.credentials import passkeys, recovery_codes, totp
from idp.credentials.hashing import hashing
from idp.credentials.totp import Enrolment
from idp.events import IdpEvent
from idp.mails.service import Recipient
from idp.notices import service as notices
from idp.notices.service import Factor
from idp.protocol import acr
from idp.sessions import devices
from idp.sessions.browser import Browser
from idp.sessions.service import SignedIn
from idp.sign_in import throttle
from idp.sign_in.completion import Cookies, complete
from idp.sign_in.outcomes import Throttled
from kernel import brand
from kernel.limits import Refusal
from tenants.database import db
from tenants.people import service as people


@dataclass(frozen=True)
class Added:
    """The app is there: the session is stronger now. The sheet is shown once.

    Who has a passkey has a sheet already, and keeps it.
    """

    cookies: Cookies
    codes: tuple[str, ...]


def begin(me: SignedIn, *, now: datetime) -> Enrolment:
    """What the app has to be told; the same again until it is confirmed.

    A key that was shown before this person signed in may have been shown to somebody else.
    """
    with db.reading() as session:
        secret = totp.unfinished_secret(session, person_id=me.person_id, since=me.auth_time)
    if secret is None:
        with db.transaction() as session:
            secret = totp.unfinished_secret(
                session, person_id=me.person_id, since=me.auth_time
            ) or totp.begin(session, person_id=me.person_id, now=now)
    return Enrolment(secret=secret, address=me.email, issuer=brand.NAME)


def confirm(
    me: SignedIn, text: str, *, browser: Browser, now: datetime
) -> Added | Throttled | None:
    """Finish with a code from the app; None when the code is wrong."""
    with db.transaction() as session:
        tries = throttle.code_tries(person_id=me.person_id, device_id=me.device_id)
        taken = throttle.take(session, tries, now=now)
        if isinstance(taken, Refusal):
            return Throttled.by(taken, now)
        if not totp.fits(session, person_id=me.person_id, text=text, now=now):
            return None
        has_passkey = passkeys.is_enrolled(session, person_id=me.person_id)
    sheet = None if has_passkey else recovery_codes.make_sheet(hashing())
    with db.transaction() as session:
        if not totp.confirm(session, person_id=me.person_id, text=text, now=now):
            return None
        throttle.forget_codes(session, person_id=me.person_id, device_id=me.device_id)
        if sheet is not None:
            recovery_codes.store(session, person_id=me.person_id, sheet=sheet, now=now)
        devices.forget(session, person_id=me.person_id, now=now)
        note(session, IdpEvent.AUTHENTICATOR_ADDED, by=me, browser=browser, now=now)
        tell(
            session,
            "authenticator_added",
            to=me,
            browser=browser,
            added=_the_app(session, me),
            now=now,
        )
        before = [method for method in me.amr if method != acr.REMEMBERED_DEVICE]
        cookies = complete(
            session,
            person_id=me.person_id,
            recipient=Recipient.of(me, otherwise=browser.language),
            amr=list(dict.fromkeys([*before, acr.ONE_TIME_CODE, acr.SEVERAL_FACTORS])),
            acr=acr.TWO_FACTOR,
            auth_time=me.auth_time,
            browser=browser,
            now=now,
        )
    return Added(cookies, sheet.codes if sheet is not None else ())


def remove(me: SignedIn, *, browser: Browser, now: datetime) -> None:
    """Take the app away; where no passkey is left, the recovery codes go with it."""
    with db.transaction() as session:
        if not totp.remove(session, person_id=me.person_id):
            return
        people.hold(session, me.person_id)
        if not passkeys.is_enrolled(session, person_id=me.person_id):
            recovery_codes.void(session, person_id=me.person_id)
        devices.forget(session, person_id=me.person_id, now=now)
        note(session, IdpEvent.AUTHENTICATOR_REMOVED, by=me, browser=browser, now=now)
        tell(session, "authenticator_removed", to=me, browser=browser, now=now)


def new_sheet(me: SignedIn, *, browser: Browser, now: datetime) -> tuple[str, ...] | None:
    """Ten new recovery codes, shown once; None for a person without an app or a passkey."""
    sheet = recovery_codes.make_sheet(hashing())
    with db.transaction() as session:
        has_app = totp.lock(session, person_id=me.person_id)
        if not passkeys.lock(session, person_id=me.person_id) and not has_app:
            return None
        recovery_codes.store(session, person_id=me.person_id, sheet=sheet, now=now)
        note(session, IdpEvent.RECOVERY_CODES_MADE, by=me, browser=browser, now=now)
        tell(
            session,
            "recovery_codes_made",
            to=me,
            browser=browser,
            added=notices.Added(Factor.RECOVERY_CODES, me.person_id),
            now=now,
        )
    return sheet.codes


def _the_app(session: Session, me: SignedIn) -> notices.Added | None:
    """What is to be taken away if it was somebody else who added it."""
    totp_id = totp.enrolled_id(session, person_id=me.person_id)
    return notices.Added(Factor.AUTHENTICATOR, totp_id) if totp_id is not None else None
