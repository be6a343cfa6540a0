"""Signing in with a passkey: alone, or as the second factor after the password.

The challenge is used up in a transaction of its own before anything is checked, so that no answer
counts twice, and a failed check leaves it spent. Every check that fails raises `PasskeyRefused`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp.credentials import ceremonies, passkeys
from idp.credentials.ceremonies import Answer, PasskeyRefused, Shown
from idp.credentials.passkeys import Ceremony, Challenge, KnownPasskey, WentBack
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.flows.service import Flow
from idp.mails.service import Recipient
from idp.notices import service as notices
from idp.protocol import acr
from idp.sessions.browser import Browser
from idp.settings import current_settings
from idp.sign_in import prover as provers
from idp.sign_in import throttle
from idp.sign_in.completion import Cookies, complete
from idp.sign_in.destination import application_of
from idp.sign_in.outcomes import Exhausted, Proved, Throttled, Wrong, count_outcome
from idp.sign_in.password import set_address
from idp.sign_in.prover import TRIES_IN_FLOW
from kernel.ledger import INSTALLATION
from kernel.limits import Refusal, Taken
from kernel.observability.logs import get_logger
from tenants.audit import ledger, person_chain
from tenants.database import db
from tenants.people import service as people
from tenants.people.address import canonical_email
from tenants.people.service import PersonSummary

log = get_logger(__name__)


@dataclass(frozen=True)
class _Try:
    """An answer whose challenge was used up, and that may be checked."""

    answer: Answer
    challenge: Challenge
    passkey: KnownPasskey
    was_last: bool = False


def ask_alone(flow_id: str | None, *, browser: Browser, now: datetime) -> dict[str, Any]:
    """The options for signing in with a passkey alone. They are the same for everybody."""
    with db.transaction() as session:
        flow = flows.load(session, flow_id, browser.id_hash, now)
        challenge = passkeys.issue_challenge(
            session,
            ceremony=Ceremony.SIGN_IN,
            browser_hash=browser.id_hash,
            flow_id=flow.id,
            now=now,
        )
    return ceremonies.ask_to_show(
        ceremonies.relying_party(), challenge=challenge, must_stand_alone=True
    )


def prove_alone(
    flow_id: str | None, *, text: str, browser: Browser, now: datetime
) -> Proved | Wrong | Throttled:
    """Sign in with nothing but a passkey that has checked who holds it. Raises FlowExpired."""
    try:
        outcome = _prove_alone(flow_id, text, browser, now)
    except PasskeyRefused as refused:
        return _wrong(refused)
    count_outcome("passkey", "throttled" if isinstance(outcome, Throttled) else "right")
    return outcome


def ask_second(flow_id: str | None, *, browser: Browser, now: datetime) -> dict[str, Any]:
    """The options for proving more; raises NothingToProve, FlowExpired."""
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        prover = provers.find(session, flow, browser)
        known = passkeys.of_person(session, person_id=prover.id)
        challenge = passkeys.issue_challenge(
            session,
            ceremony=Ceremony.SECOND_FACTOR,
            browser_hash=browser.id_hash,
            flow_id=flow.id,
            person_id=prover.id,
            now=now,
        )
    return ceremonies.ask_to_show(
        ceremonies.relying_party(),
        challenge=challenge,
        known=[passkey.descriptor for passkey in known],
        must_stand_alone=False,
    )


def prove_second(
    flow_id: str | None, *, text: str, remember: bool, browser: Browser, now: datetime
) -> Proved | Wrong | Exhausted | Throttled:
    """Add a passkey or security key to what was proved. Raises NothingToProve, FlowExpired."""
    try:
        return _prove_second(flow_id, text, remember, browser, now)
    except PasskeyRefused as refused:
        log.info("passkey_refused", detail=refused.detail)
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        prover = provers.find(session, flow, browser)
        return provers.refuse(session, flow, prover, False, browser, now, factor="passkey")


def _prove_alone(
    flow_id: str | None, text: str, browser: Browser, now: datetime
) -> Proved | Throttled:
    answer = ceremonies.read(text)
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        taken = _take(session, browser, now)
        if isinstance(taken, Refusal):
            return Throttled.by(taken, now)
        found = _spend(session, answer, Ceremony.SIGN_IN, flow, browser, now)
    # Raised after the commit: a rollback would bring the challenge back.
    attempt = _ready(found)
    if not passkeys.is_filed_under(attempt.passkey, answer.user_handle__unverified):
        raise PasskeyRefused("the user handle is not that of the passkey")
    if not attempt.passkey.is_verifying:
        raise PasskeyRefused("it never checked its holder, so it counts as a second factor only")
    shown = _check(attempt, must_stand_alone=True)
    try:
        return Proved(_enter_alone(flow_id, attempt.passkey, shown, browser, now))
    except WentBack:
        _tell_of_copy(attempt.passkey, browser, now)
        raise


def _enter_alone(
    flow_id: str | None, passkey: KnownPasskey, shown: Shown, browser: Browser, now: datetime
) -> Cookies:
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        person = _active(session, passkey.person_id)
        passkeys.note_use(session, passkey.id, shown, now=now)
        throttle.forget_passkeys(session, browser_hash=browser.id_hash)
        set_address(flow, canonical_email(person.email))
        return complete(
            session,
            person_id=person.id,
            recipient=Recipient.of(person, otherwise=browser.language),
            amr=methods_of(passkey),
            acr=acr.TWO_FACTOR,
            application=application_of(flow),
            browser=browser,
            now=now,
        )


def _prove_second(
    flow_id: str | None, text: str, remember: bool, browser: Browser, now: datetime
) -> Proved | Exhausted | Wrong | Throttled:
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        prover = provers.find(session, flow, browser)
        taken = _take(session, browser, now)
        if isinstance(taken, Refusal):
            count_outcome("passkey", "throttled")
            return Throttled.by(taken, now)
        if flow.second_factor_failures >= TRIES_IN_FLOW:
            return provers.refuse(session, flow, prover, False, browser, now, factor="passkey")
        flow.second_factor_failures += 1
    answer = ceremonies.read(text)
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        found = _spend(session, answer, Ceremony.SECOND_FACTOR, flow, browser, now)
    attempt = _ready(found)
    passkey, handle = attempt.passkey, answer.user_handle__unverified
    if passkey.person_id != prover.id or attempt.challenge.person_id != prover.id:
        raise PasskeyRefused("the passkey is not this person's")
    if handle is not None and not passkeys.is_filed_under(passkey, handle):
        raise PasskeyRefused("the user handle is not that of the passkey")
    shown = _check(attempt, must_stand_alone=False)
    try:
        return _enter_second(flow_id, passkey, shown, remember, browser, now)
    except WentBack:
        _tell_of_copy(passkey, browser, now)
        raise


def _enter_second(
    flow_id: str | None,
    passkey: KnownPasskey,
    shown: Shown,
    remember: bool,
    browser: Browser,
    now: datetime,
) -> Proved:
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        prover = provers.find(session, flow, browser)
        if prover.id != passkey.person_id:
            raise PasskeyRefused("the flow is about somebody else by now")
        typed_password = prover.auth_time is None
        passkeys.note_use(session, passkey.id, shown, may_verify=typed_password, now=now)
        throttle.forget_passkeys(session, browser_hash=browser.id_hash)
        methods = methods_of(passkey)
        return provers.enter(session, prover, methods, remember, browser, now, factor="passkey")


def methods_of(passkey: KnownPasskey) -> list[str]:
    """What a passkey proves, in the words of RFC 8176: a key that can be copied is software."""
    key = acr.SOFTWARE_KEY if passkey.is_syncable else acr.HARDWARE_KEY
    return [key, acr.USER_PRESENCE, acr.SEVERAL_FACTORS]


def _take(session: Session, browser: Browser, now: datetime) -> Taken | Refusal:
    """Count a try. One row of history a window: a single refused passkey changes nothing."""
    tries = throttle.passkey_tries(
        browser_hash=browser.id_hash,
        place=browser.where.place,
        tries_from_place=current_settings().sign_in_tries_per_address,
    )
    taken = throttle.take(session, tries, now=now)
    if isinstance(taken, Taken) and taken.was_last:
        ledger.append(
            session,
            chain=INSTALLATION,
            event=IdpEvent.SIGN_IN_PASSKEY_THROTTLED,
            actor=None,
            subject=None,
            result="failure",
            at=now,
            personal=browser.personal,
            request_id=browser.request_id,
        )
    return taken


def _spend(
    session: Session,
    answer: Answer,
    ceremony: Ceremony,
    flow: Flow,
    browser: Browser,
    now: datetime,
) -> tuple[Answer, Challenge | None, KnownPasskey | None]:
    challenge = passkeys.spend_challenge(
        session,
        answer.challenge__unverified,
        ceremony=ceremony,
        browser_hash=browser.id_hash,
        flow_id=flow.id,
        now=now,
    )
    return answer, challenge, passkeys.find(session, answer.credential_id__unverified)


def _ready(found: tuple[Answer, Challenge | None, KnownPasskey | None]) -> _Try:
    answer, challenge, passkey = found
    if challenge is None:
        raise PasskeyRefused("the challenge was not ours, not for this, too late, or used before")
    if passkey is None:
        raise PasskeyRefused("nobody has this passkey")
    return _Try(answer, challenge, passkey)


def _check(attempt: _Try, *, must_stand_alone: bool) -> Shown:
    return ceremonies.check_shown(
        attempt.answer,
        ceremonies.relying_party(),
        challenge=attempt.answer.challenge__unverified,
        public_key=attempt.passkey.public_key,
        is_syncable=attempt.passkey.is_syncable,
        must_stand_alone=must_stand_alone,
    )


def _active(session: Session, person_id: UUID) -> PersonSummary:
    person = people.find(session, person_id)
    if person is None or not person.is_active:
        raise PasskeyRefused("the person is blocked or gone")
    return person


def _wrong(refused: PasskeyRefused) -> Wrong:
    log.info("passkey_refused", detail=refused.detail)
    count_outcome("passkey", "wrong")
    return Wrong()


def _tell_of_copy(passkey: KnownPasskey, browser: Browser, now: datetime) -> None:
    """The counter went back: perhaps there are two of a key that can't be copied."""
    with db.transaction() as session:
        person = people.find(session, passkey.person_id)
        if person is None:
            return
        ledger.append(
            session,
            chain=person_chain(person.id),
            event=IdpEvent.PASSKEY_COUNTER_WENT_BACK,
            actor=None,
            subject=str(person.id),
            result="failure",
            at=now,
            details={"passkey": str(passkey.id)},
            personal=browser.personal,
            request_id=browser.request_id,
        )
        notices.tell(
            session,
            "passkey_went_back",
            person_id=person.id,
            to=Recipient.of(person, otherwise=browser.language),
            browser=browser,
            context={"passkey": passkey.name},
            now=now,
        )
