"""The second factor in digits: from the authenticator app, from a mail, or from the recovery sheet.

It follows the password in the same flow, or comes on top of a living session (stepping up).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.credentials import email_code, lost_factors, recovery_codes, totp
from idp.credentials.email_code import Purpose
from idp.credentials.hashing import hashing
from idp.credentials.lost_factors import Request
from idp.events import IdpEvent
from idp.flows import service as flows
from idp.flows.service import Flow
from idp.notices import service as notices
from idp.protocol import acr
from idp.sessions.browser import Browser
from idp.sign_in import prover as provers
from idp.sign_in import throttle
from idp.sign_in.mailed_code import send_code, wait
from idp.sign_in.outcomes import Exhausted, Proved, Throttled, Wrong, count_outcome
from idp.sign_in.prover import TRIES_IN_FLOW, Prover
from kernel.limits import Refusal
from tenants.database import db


@dataclass(frozen=True)
class Question:
    """What the page asks for."""

    email: str
    by_mail: bool
    """Whether a mail is the only way: neither a passkey nor an app was added."""
    has_passkey: bool
    has_authenticator: bool
    was_sent: bool
    """Whether a mailed code can be typed in now."""
    is_step_up: bool
    mail_wait: int | None = None
    """Seconds until another code may be mailed; None when one may be now, or none is."""
    lost: Request | None = None
    """The newest request of who lost all strong factors."""
    lost_state: str | None = None


@dataclass(frozen=True)
class _OnPaper:
    """A recovery code that was counted, and waits for its hash."""

    code: str
    salt: bytes | None
    was_last: bool


def ask(flow_id: str | None, *, browser: Browser, now: datetime) -> Question:
    """What the page is to ask for; raises NothingToProve, FlowExpired."""
    with db.reading() as session:
        flow = flows.load(session, flow_id, browser.id_hash, now)
        prover = provers.find(session, flow, browser, hold=False)
        lost = None if prover.by_mail else lost_factors.latest(session, person_id=prover.id)
        return Question(
            email=prover.person.email,
            by_mail=prover.by_mail,
            has_passkey=prover.has_passkey,
            has_authenticator=prover.has_authenticator,
            was_sent=email_code.was_sent(
                session, flow_id=flow.id, purpose=Purpose.SIGN_IN, now=now
            ),
            is_step_up=prover.auth_time is not None,
            mail_wait=wait(session, person_id=prover.id, now=now) if prover.by_mail else None,
            lost=lost,
            lost_state=lost.state(now) if lost is not None and lost.is_news(now) else None,
        )


def send(flow_id: str | None, *, browser: Browser, now: datetime) -> Throttled | None:
    """Mail a code (again). Who has a passkey or an authenticator app gets none.

    Whoever asked too often is told how long to wait: they have proved the password.
    """
    refusal: Refusal | None = None
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        prover = provers.find(session, flow, browser)
        if prover.by_mail and _mail_counts(flow):
            refusal = send_code(
                session,
                flow_id=flow.id,
                person_id=prover.id,
                recipient=prover.recipient(browser),
                now=now,
            )
    return Throttled.by(refusal, now) if refusal is not None else None


def start_over(flow_id: str | None, *, browser: Browser, now: datetime) -> None:
    """Forget a first factor that counts no more: the person was blocked, or changed the password."""
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        flow.person_id = flow.first_factor_at = flow.first_factor_amr = None


def prove(
    flow_id: str | None, *, text: str, remember: bool, browser: Browser, now: datetime
) -> Proved | Wrong | Exhausted | Throttled:
    """Check a code; its shape says of which kind it is. Raises NothingToProve, FlowExpired."""
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        prover = provers.find(session, flow, browser)
        taken = throttle.take(
            session, throttle.code_tries(person_id=prover.id, device_id=prover.device_id), now=now
        )
        if isinstance(taken, Refusal):
            count_outcome("code", "throttled")
            return Throttled.by(taken, now)
        if flow.second_factor_failures >= TRIES_IN_FLOW:
            # Others of this flow are being hashed right now, and use up what was allowed.
            return provers.refuse(session, flow, prover, taken.was_last, browser, now)
        flow.second_factor_failures += 1
        on_paper = None if prover.by_mail else recovery_codes.code_of(text)
        if on_paper is None:
            amr = _accepted(session, flow, prover, text, now)
            if amr is None:
                return provers.refuse(session, flow, prover, taken.was_last, browser, now)
            return provers.enter(session, prover, amr, remember, browser, now)
        pending = _OnPaper(
            on_paper, recovery_codes.salt_of(session, person_id=prover.id), taken.was_last
        )
    return _prove_on_paper(flow_id, pending, remember, browser, now)


def _prove_on_paper(
    flow_id: str | None, pending: _OnPaper, remember: bool, browser: Browser, now: datetime
) -> Proved | Wrong | Exhausted:
    code_hash = recovery_codes.hash_of(hashing(), code=pending.code, salt=pending.salt)
    with db.transaction() as session:
        flow = flows.lock(session, flow_id, browser.id_hash, now)
        prover = provers.find(session, flow, browser)
        if not recovery_codes.spend(session, person_id=prover.id, code_hash=code_hash, now=now):
            return provers.refuse(session, flow, prover, pending.was_last, browser, now)
        _note_recovery(session, prover, browser, now)
        return provers.enter(session, prover, [acr.RECOVERY_CODE], remember, browser, now)


def _accepted(
    session: Session, flow: Flow, prover: Prover, text: str, now: datetime
) -> list[str] | None:
    """The methods that a code proves, or None; a good code is spent."""
    if prover.has_authenticator:
        good = totp.accept(session, person_id=prover.id, text=text, now=now)
        return [acr.ONE_TIME_CODE] if good else None
    if not prover.by_mail or not _mail_counts(flow):
        return None
    good = email_code.redeem(
        session,
        flow_id=flow.id,
        purpose=Purpose.SIGN_IN,
        recipient=str(prover.id),
        text=text,
        now=now,
    )
    return [acr.MAILED_CODE] if good else None


def _mail_counts(flow: Flow) -> bool:
    """The mailbox that answered once in this flow would prove nothing more."""
    return flow.mailbox_proven_at is None


def _note_recovery(session: Session, prover: Prover, browser: Browser, now: datetime) -> None:
    left = recovery_codes.remaining(session, person_id=prover.id)
    provers.note(
        session,
        IdpEvent.RECOVERY_CODE_USED,
        prover,
        browser,
        now,
        result="success",
        details={"remaining": left},
    )
    notices.tell(
        session,
        "recovery_code_used",
        person_id=prover.id,
        to=prover.recipient(browser),
        browser=browser,
        context={"remaining": left},
        now=now,
    )
