"""Adding, renaming and removing passkeys and security keys."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp.account.facts import note, tell
from idp.credentials import ceremonies, passkeys, password, recovery_codes, totp
from idp.credentials.ceremonies import Made, PasskeyRefused
from idp.credentials.hashing import hashing
from idp.credentials.passkeys import Ceremony, KnownPasskey
from idp.credentials.recovery_codes import Sheet
from idp.events import IdpEvent
from idp.mails.service import Recipient
from idp.notices.service import Added as AddedFactor
from idp.notices.service import Factor
from idp.protocol import acr
from idp.sessions import devices
from idp.sessions.browser import Browser
from idp.sessions.service import SignedIn
from idp.sign_in.completion import Cookies, complete
from idp.sign_in.passkey import methods_of
from kernel.errors import NotFound, Refused
from tenants.database import db
from tenants.people import service as people


class LastWayIn(Refused):
    """Without this passkey, and without a password, the person could not sign in any more."""

    reason = "last_way_in"


@dataclass(frozen=True)
class Added:
    """The passkey is there, the session is stronger now; with the first comes a sheet, shown once."""

    cookies: Cookies
    codes: tuple[str, ...]


def of(me: SignedIn) -> list[KnownPasskey]:
    """The person's passkeys, the oldest first."""
    with db.reading() as session:
        return passkeys.of_person(session, person_id=me.person_id)


def one_of(me: SignedIn, passkey_id: UUID) -> KnownPasskey:
    """One of the person's passkeys; somebody else's is not found."""
    found = [passkey for passkey in of(me) if passkey.id == passkey_id]
    if not found:
        raise NotFound("not a passkey of this person")
    return found[0]


def accepted(known: list[KnownPasskey]) -> dict[str, Any]:
    """What password managers are told, so that they offer no passkey that was removed."""
    return ceremonies.all_that_count(
        ceremonies.relying_party(),
        user_handle=known[0].user_handle,
        known=[passkey.descriptor for passkey in known],
    )


def ask_to_add(me: SignedIn, *, browser: Browser, now: datetime) -> dict[str, Any]:
    """The options for making one. Those that the person has are left out."""
    with db.transaction() as session:
        known = passkeys.of_person(session, person_id=me.person_id)
        handle = known[0].user_handle if known else passkeys.new_user_handle()
        challenge = passkeys.issue_challenge(
            session,
            ceremony=Ceremony.ADDING,
            browser_hash=browser.id_hash,
            person_id=me.person_id,
            user_handle=handle,
            now=now,
        )
    return ceremonies.ask_to_make(
        ceremonies.relying_party(),
        challenge=challenge,
        user_handle=handle,
        email=me.email,
        known=[passkey.descriptor for passkey in known],
    )


def add(me: SignedIn, text: str, name: str, *, browser: Browser, now: datetime) -> Added:
    """Keep the passkey that the browser made; raises PasskeyRefused, and what of it is known."""
    answer = ceremonies.read(text)
    with db.transaction() as session:
        challenge = passkeys.spend_challenge(
            session,
            answer.challenge__unverified,
            ceremony=Ceremony.ADDING,
            browser_hash=browser.id_hash,
            now=now,
        )
        is_first = _has_none(session, me)
    # Raised after the commit: a rollback would bring the challenge back.
    if challenge is None or challenge.user_handle is None or challenge.person_id != me.person_id:
        raise PasskeyRefused("the challenge was not this person's, too late, or used before")
    made = ceremonies.check_made(
        answer,
        ceremonies.relying_party(),
        challenge=answer.challenge__unverified,
        must_stand_alone=False,
    )
    sheet = recovery_codes.make_sheet(hashing()) if is_first else None
    with db.transaction() as session:
        return _keep(session, me, made, challenge.user_handle, name, sheet, browser, now)


def rename(me: SignedIn, passkey_id: UUID, name: str, *, browser: Browser, now: datetime) -> None:
    """Call one of the person's passkeys otherwise."""
    with db.transaction() as session:
        if not passkeys.rename(session, passkey_id, name, person_id=me.person_id):
            raise NotFound("not a passkey of this person")
        note(
            session,
            IdpEvent.PASSKEY_RENAMED,
            by=me,
            details={"passkey": str(passkey_id)},
            browser=browser,
            now=now,
        )


def remove(me: SignedIn, passkey_id: UUID, *, browser: Browser, now: datetime) -> None:
    """Take one away; the recovery codes go with the last strong factor. Raises LastWayIn."""
    passkey = one_of(me, passkey_id)
    with db.transaction() as session:
        people.hold(session, me.person_id)
        if not passkeys.remove(session, passkey_id, person_id=me.person_id):
            raise NotFound("not a passkey of this person")
        if (
            not passkeys.is_enrolled(session, person_id=me.person_id)
            and password.changed_at(session, person_id=me.person_id) is None
        ):
            raise LastWayIn("neither a password nor another passkey")
        if _has_none(session, me):
            recovery_codes.void(session, person_id=me.person_id)
        devices.forget(session, person_id=me.person_id, now=now)
        note(
            session,
            IdpEvent.PASSKEY_REMOVED,
            by=me,
            details={"passkey": str(passkey_id)},
            browser=browser,
            now=now,
        )
        tell(
            session,
            "passkey_removed",
            to=me,
            browser=browser,
            context={"passkey": passkey.name},
            now=now,
        )


def _has_none(session: Session, me: SignedIn) -> bool:
    """Whether the person has no factor but the mailbox."""
    return not (
        passkeys.is_enrolled(session, person_id=me.person_id)
        or totp.is_enrolled(session, person_id=me.person_id)
    )


def _keep(
    session: Session,
    me: SignedIn,
    made: Made,
    user_handle: bytes,
    name: str,
    sheet: Sheet | None,
    browser: Browser,
    now: datetime,
) -> Added:
    # Of two first passkeys at once one gets the sheet.
    people.hold(session, me.person_id)
    is_first = _has_none(session, me)
    passkey = passkeys.store(
        session, made, person_id=me.person_id, user_handle=user_handle, name=name, now=now
    )
    if sheet is not None and is_first:
        recovery_codes.store(session, person_id=me.person_id, sheet=sheet, now=now)
    devices.forget(session, person_id=me.person_id, now=now)
    note(
        session,
        IdpEvent.PASSKEY_ADDED,
        by=me,
        details={"passkey": str(passkey.id), "kind": passkey.kind},
        browser=browser,
        now=now,
    )
    tell(
        session,
        "passkey_added",
        to=me,
        browser=browser,
        added=AddedFactor(Factor.PASSKEY, passkey.id),
        context={"passkey": passkey.name},
        now=now,
    )
    before = [method for method in me.amr if method != acr.REMEMBERED_DEVICE]
    cookies = complete(
        session,
        person_id=me.person_id,
        recipient=Recipient.of(me, otherwise=browser.language),
        amr=list(dict.fromkeys([*before, *methods_of(passkey)])),
        acr=acr.TWO_FACTOR,
        auth_time=me.auth_time,
        browser=browser,
        now=now,
    )
    return Added(cookies, sheet.codes if sheet is not None and is_first else ())
